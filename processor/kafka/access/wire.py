"""Requests about access that aiokafka has not, or only one by one: ACLs in bulk, quotas, SCRAM users.

Each in the oldest version that carries what we need; all are in every broker since Kafka 2.7.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from aiokafka.protocol.admin import (
    CreateAclsRequest_v1,
    DeleteAclsRequest_v1,
    DescribeAclsRequest_v1,
    DescribeClientQuotasRequest_v0,
)
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Array,
    Boolean,
    CompactArray,
    CompactBytes,
    CompactString,
    Float64,
    Int8,
    Int16,
    Int32,
    Schema,
    String,
    TaggedFields,
)

_TEXT = String("utf-8")
_COMPACT = CompactString("utf-8")
_ANY = 1
_ANY_NAME = 2


class AclLine(NamedTuple):
    """An ACL as the protocol has it; numbers are the protocol's."""

    resource_type: int
    resource_name: str
    pattern_type: int
    principal: str
    host: str
    operation: int
    permission_type: int


class AllAclsRequest(Request[DescribeAclsRequest_v1]):  # type: ignore[misc]  # aiokafka comes without types
    """Every ACL there is."""

    API_KEY = 29

    def build(self, request_struct_class: type[DescribeAclsRequest_v1]) -> DescribeAclsRequest_v1:
        return request_struct_class(_ANY, None, _ANY, None, None, _ANY, _ANY)


class CreateAclLinesRequest(Request[CreateAclsRequest_v1]):  # type: ignore[misc]  # aiokafka comes without types
    """Add ACLs; one that is there stays."""

    API_KEY = 30

    def __init__(self, lines: Sequence[AclLine]) -> None:
        self._lines = lines

    def build(self, request_struct_class: type[CreateAclsRequest_v1]) -> CreateAclsRequest_v1:
        return request_struct_class([tuple(line) for line in self._lines])


class DeleteAclLinesRequest(Request[DeleteAclsRequest_v1]):  # type: ignore[misc]  # aiokafka comes without types
    """Remove just these ACLs."""

    API_KEY = 31

    def __init__(self, lines: Sequence[AclLine]) -> None:
        self._lines = lines

    def build(self, request_struct_class: type[DeleteAclsRequest_v1]) -> DeleteAclsRequest_v1:
        return request_struct_class([tuple(line) for line in self._lines])


class UserQuotasRequest(Request[DescribeClientQuotasRequest_v0]):  # type: ignore[misc]  # aiokafka comes without types
    """The quotas that users have by themselves."""

    API_KEY = 48

    def build(
        self, request_struct_class: type[DescribeClientQuotasRequest_v0]
    ) -> DescribeClientQuotasRequest_v0:
        return request_struct_class([("user", _ANY_NAME, None)], True)


class AlterQuotasAnswer(Response):  # type: ignore[misc]  # aiokafka comes without types
    """What came of each change."""

    API_KEY = 49
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "entries",
            Array(
                ("error_code", Int16),
                ("error_message", _TEXT),
                ("entity", Array(("entity_type", _TEXT), ("entity_name", _TEXT))),
            ),
        ),
    )


class AlterQuotasQuestion(RequestStruct):  # type: ignore[misc]  # aiokafka comes without types
    """AlterClientQuotas, version 0."""

    API_KEY = 49
    API_VERSION = 0
    RESPONSE_TYPE = AlterQuotasAnswer
    SCHEMA = Schema(
        (
            "entries",
            Array(
                ("entity", Array(("entity_type", _TEXT), ("entity_name", _TEXT))),
                ("ops", Array(("key", _TEXT), ("value", Float64), ("remove", Boolean))),
            ),
        ),
        ("validate_only", Boolean),
    )


class SetUserQuotaRequest(Request[AlterQuotasQuestion]):  # type: ignore[misc]  # aiokafka comes without types
    """Set one quota of a user, or remove it (None)."""

    API_KEY = 49

    def __init__(self, user: str, key: str, value: float | None) -> None:
        self._user = user
        self._op = (key, 0.0 if value is None else value, value is None)

    def build(self, request_struct_class: type[AlterQuotasQuestion]) -> AlterQuotasQuestion:
        return request_struct_class([([("user", self._user)], [self._op])], False)


class ScramUsersAnswer(Response):  # type: ignore[misc]  # aiokafka comes without types
    """Users with the mechanisms that they have a password for."""

    API_KEY = 50
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("error_message", _COMPACT),
        (
            "results",
            CompactArray(
                ("user", _COMPACT),
                ("error_code", Int16),
                ("error_message", _COMPACT),
                (
                    "credentials",
                    CompactArray(("mechanism", Int8), ("iterations", Int32), ("tags", TaggedFields)),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class ScramUsersQuestion(RequestStruct):  # type: ignore[misc]  # aiokafka comes without types
    """DescribeUserScramCredentials, version 0."""

    API_KEY = 50
    API_VERSION = 0
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = ScramUsersAnswer
    SCHEMA = Schema(
        ("users", CompactArray(("name", _COMPACT), ("tags", TaggedFields))), ("tags", TaggedFields)
    )


class AllScramUsersRequest(Request[ScramUsersQuestion]):  # type: ignore[misc]  # aiokafka comes without types
    """Every user that has a password."""

    API_KEY = 50

    def build(self, request_struct_class: type[ScramUsersQuestion]) -> ScramUsersQuestion:
        return request_struct_class(None, {})


class AlterScramAnswer(Response):  # type: ignore[misc]  # aiokafka comes without types
    """What came of each user's change."""

    API_KEY = 51
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            CompactArray(
                ("user", _COMPACT), ("error_code", Int16), ("error_message", _COMPACT), ("tags", TaggedFields)
            ),
        ),
        ("tags", TaggedFields),
    )


class AlterScramQuestion(RequestStruct):  # type: ignore[misc]  # aiokafka comes without types
    """AlterUserScramCredentials, version 0."""

    API_KEY = 51
    API_VERSION = 0
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = AlterScramAnswer
    SCHEMA = Schema(
        ("deletions", CompactArray(("name", _COMPACT), ("mechanism", Int8), ("tags", TaggedFields))),
        (
            "upsertions",
            CompactArray(
                ("name", _COMPACT),
                ("mechanism", Int8),
                ("iterations", Int32),
                ("salt", CompactBytes),
                ("salted_password", CompactBytes),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class SetScramRequest(Request[AlterScramQuestion]):  # type: ignore[misc]  # aiokafka comes without types
    """Give a user a salted password, or take it (None)."""

    API_KEY = 51

    def __init__(self, user: str, mechanism: int, salted: tuple[int, bytes, bytes] | None) -> None:
        self._user = user
        self._mechanism = mechanism
        self._salted = salted

    def build(self, request_struct_class: type[AlterScramQuestion]) -> AlterScramQuestion:
        if self._salted is None:
            return request_struct_class([(self._user, self._mechanism, {})], [], {})
        return request_struct_class([], [(self._user, self._mechanism, *self._salted, {})], {})
