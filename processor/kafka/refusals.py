"""Why a cluster does not let us in, as one sentence: nobody there, who it is not, who we are not, what we may not.

aiokafka tries one broker after the other and at the end only says that none could be asked; so the first one is asked
again, for the real reason.
"""

from __future__ import annotations

import asyncio
import ssl

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    UnsupportedSaslMechanismError,
)

from processor.errors import AccessDenied, CroupierError, KafkaUnreachable
from processor.kafka.security import security_options
from processor.settings import Settings

_WRONG_USER = (SaslAuthenticationFailed, UnsupportedSaslMechanismError, IllegalSaslStateError)
_NO_RIGHT = {
    TopicAuthorizationFailedError: "a topic",
    GroupAuthorizationFailedError: "the group",
    ClusterAuthorizationFailedError: "the cluster",
    TransactionalIdAuthorizationFailed: "a transactional id",
}


def root_cause(error: BaseException) -> BaseException:
    """The error behind aiokafka's wrapping ("Unexpected error during batch delivery" and the like)."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def unreachable(settings: Settings, cause: BaseException | None = None) -> CroupierError:
    """The error that names the address, what is wrong and what to do: `KafkaUnreachable` or `AccessDenied`."""
    found = root_cause(cause) if cause is not None else None
    where = f"Kafka at {settings.kafka_bootstrap}"
    if type(found) in _NO_RIGHT:
        return AccessDenied(
            f"{where} does not give {_us(settings)} the right to {_NO_RIGHT[type(found)]} ({_said(found)}): grant it "
            "(`croupier access show` prints the least that an installation needs, `croupier access apply` grants it)."
        )
    if isinstance(found, _WRONG_USER):
        return KafkaUnreachable(
            f"{where} does not let {_us(settings)} in ({_said(found)}): check CROUPIER_KAFKA_SASL_USERNAME, "
            "CROUPIER_KAFKA_SASL_PASSWORD and CROUPIER_KAFKA_SASL_MECHANISM."
        )
    if isinstance(found, ssl.SSLCertVerificationError):
        return KafkaUnreachable(
            f"{where} shows a certificate that is not trusted ({getattr(found, 'verify_message', found)}): name the "
            "authority that signed it in CROUPIER_KAFKA_CA_FILE, and the brokers by the names that are in it."
        )
    if isinstance(found, ssl.SSLError):
        return KafkaUnreachable(
            f"{where} does not speak {settings.kafka_security_protocol} with us ({_said(found)}): check "
            "CROUPIER_KAFKA_SECURITY_PROTOCOL, and CROUPIER_KAFKA_CERTIFICATE_FILE where it wants to see one."
        )
    why = f" ({_said(found)})" if found is not None and str(found) else ""
    return KafkaUnreachable(
        f"{where} does not answer as {settings.kafka_security_protocol}{why}. "
        "Start it (`croupier stack up` starts one on this machine), or point CROUPIER_KAFKA_BOOTSTRAP at the "
        "right host:port and check CROUPIER_KAFKA_SECURITY_PROTOCOL and its user and password."
    )


async def explained(settings: Settings, error: BaseException) -> CroupierError:
    """The same, after asking for the real reason where aiokafka kept it to itself."""
    if isinstance(root_cause(error), KafkaConnectionError):
        return unreachable(settings, await _reason(settings) or error)
    return unreachable(settings, error)


async def _reason(settings: Settings) -> BaseException | None:
    host, port, _ = collect_hosts(settings.kafka_bootstrap)[0]
    options = security_options(settings)
    timeout_ms = round(settings.request_timeout_seconds * 1000)
    try:
        async with asyncio.timeout(settings.request_timeout_seconds):
            connection = await create_conn(host, port, request_timeout_ms=timeout_ms, **options)
    except (KafkaError, OSError) as error:
        return root_cause(error)
    connection.close()
    return None


def _us(settings: Settings) -> str:
    if settings.kafka_security_protocol.startswith("SASL"):
        return f"the user {settings.kafka_sasl_username}"
    return "this client"


def _said(error: BaseException | None) -> str:
    return str(error) or type(error).__name__
