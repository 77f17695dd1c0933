"""The tolerant parser against batches that aiokafka's own builder makes, and against bytes that nobody should send."""

from __future__ import annotations

import gzip
import struct

import pytest
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from processor.kafka.tolerant import Batch, committed_batches, parse_batch, read_batches
from processor.ports import StoredRecord, UnparsableRecord
from tests.integration.kafka.raw_produce import (
    batch_claiming_codec,
    batch_of,
    batch_with_bad_header_keys,
    with_checksum,
)

OPTIONAL_BYTES = st.none() | st.binary(max_size=40)
HEADERS = st.lists(st.tuples(st.text(max_size=8), OPTIONAL_BYTES), max_size=4)
TIMES = st.integers(0, 2**40)
RECORDS = st.lists(st.tuples(TIMES, OPTIONAL_BYTES, OPTIONAL_BYTES, HEADERS), min_size=1, max_size=8)

Record = tuple[int, bytes | None, bytes | None, list[tuple[str, bytes | None]]]


def built(records: list[Record], *, codec: int = 0, producer: int = -1, base: int = 0) -> bytes:
    builder = DefaultRecordBatchBuilder(2, codec, producer >= 0, producer, 0, 0, 1 << 20)
    for delta, (timestamp, key, value, headers) in enumerate(records):
        builder.append(delta, timestamp, key=key, value=value, headers=headers)
    return struct.pack(">q", base) + bytes(builder.build())[8:]


@given(RECORDS, st.integers(0, 2**40), st.sampled_from([0, 1]))
def test_what_a_decent_sender_sends_is_read_exactly(records: list[Record], base: int, codec: int) -> None:
    (batch,) = read_batches(built(records, base=base, codec=codec))
    assert [tuple(one) for one in parse_batch(3, batch)] == [
        (3, base + delta, timestamp, key, value, headers)
        for delta, (timestamp, key, value, headers) in enumerate(records)
    ]


@given(st.binary(max_size=200))
def test_no_bytes_in_a_batch_make_it_raise(body: bytes) -> None:
    (batch,) = read_batches(batch_claiming_codec([b"a", b"b"], 0, body))
    found = list(parse_batch(0, batch))
    assert all(isinstance(one, (StoredRecord, UnparsableRecord)) for one in found)


@given(st.binary(max_size=300))
def test_any_log_gives_batches_or_is_called_corrupt(log: bytes) -> None:
    try:
        list(read_batches(log))
    except CorruptRecordException:
        return


def test_a_header_key_that_is_not_utf8_spoils_its_own_record_only() -> None:
    log = batch_with_bad_header_keys([b"a", b"b"])
    (batch,) = read_batches(log)
    odd, odder = parse_batch(5, batch)
    assert isinstance(odd, UnparsableRecord)
    assert (odd.partition, odd.offset, odd.key, odd.value) == (5, 0, b"p-1", b"a")
    assert b"\xff\xfe\xfd" in odd.raw_headers
    assert odd.problem == "the key of header 1 is not UTF-8"
    assert odder.offset == 1


@pytest.mark.parametrize("codec", [1, 4, 7])
def test_a_batch_that_does_not_decompress_comes_offset_by_offset(codec: int) -> None:
    (batch,) = read_batches(batch_claiming_codec([b"a", b"b", b"c"], codec, b"not compressed at all"))
    found = list(parse_batch(0, batch))
    assert [one.offset for one in found] == [0, 1, 2]
    assert all(isinstance(one, UnparsableRecord) for one in found)
    assert [one.value for one in found] == [b"not compressed at all", None, None]


def test_a_gzip_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(b"\0" * (64 * 1024 * 1024))
    (batch,) = read_batches(batch_claiming_codec([b"a"], 1, bomb))
    (found,) = parse_batch(0, batch)
    assert isinstance(found, UnparsableRecord)
    assert "more than 16777216 bytes" in found.problem


def test_a_wrong_checksum_is_damage_and_not_somebodys_event() -> None:
    log = bytearray(batch_of([b"a"]))
    log[-1] ^= 1
    with pytest.raises(CorruptRecordException, match="checksum"):
        list(read_batches(bytes(log)))
    assert len(list(read_batches(with_checksum(bytes(log))))) == 1


def test_a_batch_cut_short_is_left_for_the_next_fetch() -> None:
    whole, cut = batch_of([b"a"]), batch_of([b"b"])[:-1]
    assert len(list(read_batches(whole + cut))) == 1


def test_an_older_format_is_refused() -> None:
    log = bytearray(batch_of([b"a"]))
    log[16] = 1
    with pytest.raises(CorruptRecordException, match="format 1"):
        list(read_batches(bytes(log)))


def data(offset: int, producer: int, *, transactional: bool = True) -> Batch:
    return Batch(offset, offset, 0x10 if transactional else 0, 0, 0, producer, 1, b"")


def marker(offset: int, producer: int) -> Batch:
    return Batch(offset, offset, 0x30, 0, 0, producer, 1, b"")


def test_records_of_aborted_transactions_and_markers_are_passed_over() -> None:
    batches = [
        data(0, 7),
        data(1, 8),
        marker(2, 7),
        data(3, 7),
        data(4, -1, transactional=False),
        marker(5, 8),
        marker(6, 7),
        data(7, 7),
    ]
    found = committed_batches(iter(batches), [(7, 3), (8, 1)])
    assert [batch.base_offset for batch in found] == [0, 4, 7]
