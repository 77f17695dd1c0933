"""What the chaos suite's proxy answers in a coordinator's place can be read by the client it is meant for."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

import pytest
from aiokafka.protocol.group import HeartbeatRequest_v1, JoinGroupRequest_v5, SyncGroupRequest_v3
from aiokafka.protocol.transaction import (
    AddOffsetsToTxnRequest_v0,
    AddPartitionsToTxnRequest_v0,
    EndTxnRequest_v0,
    InitProducerIdRequest_v0,
    TxnOffsetCommitRequest_v0,
)

from processor.kafka.wire import OffsetsQuestion
from tests.chaos.scenarios.coordinator_proxy import loading

_LOADING = 14
_ASKED = [
    HeartbeatRequest_v1("g", 1, "m"),
    JoinGroupRequest_v5("g", 6000, 60000, "m", "i", "consumer", [("lanes", b"")]),
    SyncGroupRequest_v3("g", 1, "m", "i", []),
    InitProducerIdRequest_v0("t", 1000),
    AddOffsetsToTxnRequest_v0("t", 1, 0, "g"),
    EndTxnRequest_v0("t", 1, 0, True),
    OffsetsQuestion("g", [("events", [0, 1], {})], True, {}),
]
_ASKED_BY_PARTITION = [
    AddPartitionsToTxnRequest_v0("t", 1, 0, [("results", [0, 2])]),
    TxnOffsetCommitRequest_v0("t", "g", 1, 0, [("results", [(0, 5, "m"), (2, 6, "")])]),
]


@pytest.mark.parametrize("asked", _ASKED, ids=lambda one: type(one).__name__)
def test_a_coordinator_that_loads_says_so_to_every_request(asked: Any) -> None:
    assert _answered(asked).error_code == _LOADING


def test_offsets_of_a_coordinator_that_loads_are_no_topics_and_an_error() -> None:
    assert _answered(_ASKED[-1]).topics == []


@pytest.mark.parametrize("asked", _ASKED_BY_PARTITION, ids=lambda one: type(one).__name__)
def test_requests_for_partitions_are_answered_for_each_of_them(asked: Any) -> None:
    assert _answered(asked).errors == [("results", [(0, _LOADING), (2, _LOADING)])]


def _answered(asked: Any) -> Any:
    whole = asked.build_request_header(77, "client").encode() + asked.encode()
    answer = loading(struct.pack(">i", len(whole)) + whole)
    assert struct.unpack_from(">i", answer) == (len(answer) - 4,)
    body = BytesIO(answer[4:])
    assert asked.parse_response_header(body).correlation_id == 77
    decoded = asked.RESPONSE_TYPE.decode(body)
    assert body.read() == b""
    return decoded
