"""Reads what a cluster grants, and carries changes out, as its administrator.

Through aiokafka's own connection, so that access is administered over the same TLS and login as all else.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, get_args

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import ClusterAuthorizationFailedError, KafkaError, NoError, for_code

from processor.errors import WrongInstallation
from processor.kafka.access.plan import Change, GrantChange, QuotaChange, UserChange
from processor.kafka.access.rights import Access, Grant, Mechanism, Operation, Resource, Right
from processor.kafka.access.wire import (
    AclLine,
    AllAclsRequest,
    AllScramUsersRequest,
    CreateAclLinesRequest,
    DeleteAclLinesRequest,
    SetScramRequest,
    SetUserQuotaRequest,
    UserQuotasRequest,
)
from processor.kafka.connection import connected_client
from processor.kafka.refusals import explained
from processor.kafka.security import as_admin
from processor.settings import Settings

_RESOURCES: Final[dict[int, Resource]] = {2: "topic", 3: "group", 4: "cluster", 5: "transactional-id"}
_OPERATIONS: Final[dict[int, Operation]] = dict(enumerate(get_args(Operation), start=2))
_MECHANISMS: Final[dict[int, Mechanism]] = {1: "SCRAM-SHA-256", 2: "SCRAM-SHA-512"}
_HASHES: Final[dict[Mechanism, str]] = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}
_LITERAL, _PREFIXED = 3, 4
_DENY, _ALLOW = 2, 3
_USER: Final = "User:"
_ITERATIONS: Final = 8192
# A change of access is written by the controller first; nobody's event waits for it.
_PATIENCE_SECONDS: Final = 30.0
_RESOURCE_NOT_FOUND: Final = 91
_SECURITY_DISABLED: Final = 54


class Administration:
    """Questions and changes over one connection; made by `administration`.

    All of them raise `errors.KafkaUnreachable`, `errors.AccessDenied`, and `errors.WrongInstallation` where the
    cluster refuses.
    """

    def __init__(self, client: AIOKafkaClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    async def read(self) -> Access:
        """What is granted on the cluster now."""
        acls = await self._answer(AllAclsRequest())
        users = await self._answer(AllScramUsersRequest())
        quotas = await self._answer(UserQuotasRequest())
        return Access(_grants(acls["resources"]), _users(users["results"]), _quotas(quotas["entries"] or []))

    async def carry_out(self, change: Change, passwords: Mapping[str, str]) -> None:
        """Make one change; ``passwords`` by user. Repeating it does no harm."""
        if isinstance(change, GrantChange):
            kind = CreateAclLinesRequest if change.sign == "+" else DeleteAclLinesRequest
            answer = await self._answer(kind([_line(change.grant)]))
            _require(answer.get("creation_responses") or answer["filter_responses"], change)
        elif isinstance(change, UserChange):
            number = next(key for key, name in _MECHANISMS.items() if name == change.mechanism)
            salted = _salted(passwords[change.principal], change.mechanism) if change.sign == "+" else None
            answer = await self._answer(SetScramRequest(change.principal, number, salted))
            _require(answer["results"], change)
        elif isinstance(change, QuotaChange):
            request = SetUserQuotaRequest(change.principal, change.key, change.value)
            _require((await self._answer(request))["entries"], change)

    async def _answer(self, request: Any) -> dict[str, Any]:
        try:
            raw = await self._client.send(self._client.get_random_node(), request)
            answer: dict[str, Any] = raw.to_object()
            _refuse(answer.get("error_code", 0), answer.get("error_message"))
        except (KafkaError, OSError) as error:
            raise await explained(self._settings, error) from error
        return answer


@asynccontextmanager
async def administration(settings: Settings) -> AsyncIterator[Administration]:
    """The cluster's access, as its administrator. Raises `errors.KafkaUnreachable`."""
    patient = {"request_timeout_seconds": max(settings.request_timeout_seconds, _PATIENCE_SECONDS)}
    admin = as_admin(settings).model_copy(update=patient)
    async with connected_client(admin) as client:
        yield Administration(client, admin)


def _refuse(code: int, message: str | None) -> None:
    if code == _SECURITY_DISABLED:
        raise WrongInstallation(
            "This cluster has no authorizer, so nothing can be granted on it and everybody may do everything: "
            "set authorizer.class.name on its brokers (org.apache.kafka.metadata.authorizer.StandardAuthorizer)."
        )
    error = for_code(code)
    if error is ClusterAuthorizationFailedError:
        raise error(message or "this needs an administrator: CROUPIER_KAFKA_ADMIN_USERNAME")
    if error is not NoError:
        raise WrongInstallation(f"The cluster refuses: {message or error.__name__}.")


def _require(results: Sequence[Mapping[str, Any]], change: Change) -> None:
    """What is not there any more need not be removed."""
    for result in results:
        if not (change.sign == "-" and result["error_code"] == _RESOURCE_NOT_FOUND):
            _refuse(result["error_code"], result["error_message"])


def _grants(resources: Sequence[Mapping[str, Any]]) -> frozenset[Grant]:
    return frozenset(
        Grant(
            acl["principal"].removeprefix(_USER),
            acl["host"],
            Right(
                _RESOURCES[resource["resource_type"]],
                resource["resource_name"],
                resource["resource_pattern_type"] == _PREFIXED,
                _OPERATIONS[acl["operation"]],
            ),
            acl["permission_type"] == _DENY,
        )
        for resource in resources
        for acl in resource["acls"]
        if resource["resource_type"] in _RESOURCES and acl["operation"] in _OPERATIONS
    )


def _users(results: Sequence[Mapping[str, Any]]) -> dict[str, frozenset[Mechanism]]:
    return {
        one["user"]: frozenset(_MECHANISMS[had["mechanism"]] for had in one["credentials"]) for one in results
    }


def _quotas(entries: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    found = {}
    for entry in entries:
        (entity,) = entry["entity"]
        if entity["entity_name"] is not None:
            found[entity["entity_name"]] = {one["name"]: one["value"] for one in entry["values"]}
    return found


def _line(grant: Grant) -> AclLine:
    right = grant.right
    return AclLine(
        next(key for key, name in _RESOURCES.items() if name == right.resource),
        right.name,
        _PREFIXED if right.prefixed else _LITERAL,
        f"{_USER}{grant.principal}",
        grant.host,
        next(key for key, name in _OPERATIONS.items() if name == right.operation),
        _DENY if grant.denied else _ALLOW,
    )


def _salted(password: str, mechanism: Mechanism) -> tuple[int, bytes, bytes]:
    salt = secrets.token_bytes(24)
    return (
        _ITERATIONS,
        salt,
        hashlib.pbkdf2_hmac(_HASHES[mechanism], password.encode(), salt, _ITERATIONS),
    )
