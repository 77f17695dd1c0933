"""What a client shows to get into a secured cluster: TLS (also mutual), user and password (SCRAM)."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

from processor.errors import WrongUsage
from processor.settings import Settings


def security_options(settings: Settings) -> dict[str, Any]:
    """The part of aiokafka's keyword arguments that is about security. Raises `errors.WrongUsage` for a wrong file."""
    options: dict[str, Any] = {"security_protocol": settings.kafka_security_protocol}
    if settings.kafka_security_protocol in ("SSL", "SASL_SSL"):
        options["ssl_context"] = tls_context(settings)
    if settings.kafka_security_protocol.startswith("SASL"):
        password = settings.kafka_sasl_password
        options["sasl_mechanism"] = settings.kafka_sasl_mechanism
        options["sasl_plain_username"] = settings.kafka_sasl_username
        options["sasl_plain_password"] = password.get_secret_value() if password else None
    return options


def tls_context(settings: Settings) -> ssl.SSLContext:
    """TLS that checks the broker's certificate and name, and shows our own certificate where we have one.

    Raises `errors.WrongUsage` that names the variable whose file cannot be used.
    """
    context = _context_that_trusts(settings.kafka_ca_file)
    certificate, key = settings.kafka_certificate_file, settings.kafka_key_file
    if certificate is not None and key is not None:
        try:
            # An empty password, so that nobody is asked for one: a locked key is refused instead.
            context.load_cert_chain(certificate, key, password="")  # nosec B106  # no secret
        except (OSError, ValueError) as error:
            raise _unusable(
                "CROUPIER_KAFKA_CERTIFICATE_FILE or CROUPIER_KAFKA_KEY_FILE", key, error
            ) from error
    return context


def _context_that_trusts(authority: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(authority) if authority else None)
    except OSError as error:
        raise _unusable("CROUPIER_KAFKA_CA_FILE", authority, error) from error


def _unusable(variable: str, file: Path | None, error: Exception) -> WrongUsage:
    return WrongUsage(
        f"{variable} cannot be used ({file}: {error}): name a PEM file that this user may read."
    )


def as_admin(settings: Settings) -> Settings:
    """The same settings with the administrator's user, where one is named; else they are left as they are."""
    if settings.kafka_admin_username is None:
        return settings
    return settings.model_copy(
        update={
            "kafka_sasl_username": settings.kafka_admin_username,
            "kafka_sasl_password": settings.kafka_admin_password,
        }
    )
