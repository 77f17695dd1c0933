"""A record parser that gives up on single records, never on the partition.

aiokafka's parser raises for a header key that is not UTF-8 and for a codec that is not installed, and then raises for
ever, because it cannot get past the batch. Any sender can do that. This one, in plain Python and used only after the
fast one has failed, takes a record batch (format 2, KIP-98) apart as far as it goes:

- a record whose headers do not decode comes as `ports.UnparsableRecord` with the raw bytes of its headers;
- of a batch that does not decompress, every offset comes as one, the first with the compressed bytes as its value;
- control batches and the records of aborted transactions are skipped, as any read_committed consumer does.

A checksum that does not match is none of these: the bytes were damaged under way or on disk, and that is raised.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from struct import Struct
from typing import NamedTuple

from aiokafka.codec import has_lz4, has_snappy, has_zstd, lz4_decode, snappy_decode, zstd_decode
from aiokafka.errors import CorruptRecordException
from aiokafka.record.util import calc_crc32c

from processor.ports import StoredRecord, UnparsableRecord

Parsed = StoredRecord | UnparsableRecord

_HEADER = Struct(">qiibIhiqqqhii")
_PREFIX = Struct(">qi")
_LENGTH_ENDS_AT = _PREFIX.size
_CHECKSUM_COVERS_FROM = 21
_FORMAT = 2
_CODEC_MASK, _APPEND_TIME, _TRANSACTIONAL, _CONTROL = 0x07, 0x08, 0x10, 0x20
_GZIP, _SNAPPY, _LZ4, _ZSTD = 1, 2, 3, 4
_CODEC_NAMES = {_GZIP: "gzip", _SNAPPY: "snappy", _LZ4: "lz4", _ZSTD: "zstd"}
# What a compressed batch may become. More is a bomb, or nothing that our topics would take.
_LARGEST_BATCH_BYTES = 16 * 1024 * 1024


class Batch(NamedTuple):
    """The head of a record batch and its body, not yet decompressed."""

    base_offset: int
    last_offset: int
    attributes: int
    first_timestamp: int
    max_timestamp: int
    producer_id: int
    records: int
    body: bytes

    @property
    def is_control(self) -> bool:
        return bool(self.attributes & _CONTROL)

    @property
    def is_transactional(self) -> bool:
        return bool(self.attributes & _TRANSACTIONAL)

    def timestamp(self, delta: int) -> int:
        """Unix milliseconds: the broker's time for the whole batch, or the sender's for each record."""
        return self.max_timestamp if self.attributes & _APPEND_TIME else self.first_timestamp + delta


class Malformed(ValueError):
    """Bytes that are not what they claim to be."""


def read_batches(log: bytes) -> Iterator[Batch]:
    """The complete record batches at the start of ``log``. Raises CorruptRecordException on a wrong checksum."""
    place = 0
    while len(log) - place >= _LENGTH_ENDS_AT:
        base_offset, length = _PREFIX.unpack_from(log, place)
        if length < _HEADER.size - _LENGTH_ENDS_AT:
            raise CorruptRecordException(f"The record batch at {base_offset} claims a length of {length}.")
        end = place + _LENGTH_ENDS_AT + length
        if end > len(log):
            return
        yield _read_batch(base_offset, log[place:end])
        place = end


def _read_batch(base_offset: int, batch: bytes) -> Batch:
    magic = batch[16]
    if magic != _FORMAT:
        raise CorruptRecordException(f"The record batch at {base_offset} has format {magic}, not {_FORMAT}.")
    (_, _, _, _, checksum, attributes, last_delta, first_time, max_time, producer, _, _, records) = (
        _HEADER.unpack_from(batch)
    )
    if calc_crc32c(batch[_CHECKSUM_COVERS_FROM:]) != checksum:
        raise CorruptRecordException(f"The record batch at {base_offset} does not match its checksum.")
    return Batch(
        base_offset,
        base_offset + last_delta,
        attributes,
        first_time,
        max_time,
        producer,
        records,
        batch[_HEADER.size :],
    )


def committed_batches(batches: Iterator[Batch], aborted: Sequence[tuple[int, int]]) -> Iterator[Batch]:
    """Batches that hold data of committed (or no) transactions; ``aborted`` is (producer id, first offset) each."""
    waiting = sorted(aborted, key=lambda one: one[1])
    aborting: set[int] = set()
    for batch in batches:
        while waiting and waiting[0][1] <= batch.base_offset:
            aborting.add(waiting.pop(0)[0])
        if batch.is_control:
            aborting.discard(batch.producer_id)
        elif not (batch.is_transactional and batch.producer_id in aborting):
            yield batch


def parse_batch(partition: int, batch: Batch) -> Iterator[Parsed]:
    """Every record of a batch, each as well as it can be read."""
    try:
        data = _decompressed(batch)
    except Malformed as problem:
        for offset in range(batch.base_offset, batch.last_offset + 1):
            payload = batch.body if offset == batch.base_offset else None
            yield _unparsable(partition, offset, batch, f"{problem}", value=payload)
        return
    place, offset = 0, batch.base_offset
    for _ in range(batch.records):
        try:
            length, place = _varint(data, place)
            body = _exactly(data, place, length)
        except Malformed as problem:
            for lost in range(offset, batch.last_offset + 1):
                yield _unparsable(partition, lost, batch, f"the record's length is wrong: {problem}")
            return
        place += length
        record = _parse_record(partition, offset, batch, body)
        yield record
        offset = record.offset + 1


def _parse_record(partition: int, expected_offset: int, batch: Batch, body: bytes) -> Parsed:
    key: bytes | None = None
    value: bytes | None = None
    place = 1  # after the attributes, which mean nothing in this format
    offset, timestamp, raw_headers = expected_offset, batch.max_timestamp, b""
    try:
        timestamp_delta, place = _varint(body, place)
        offset_delta, place = _varint(body, place)
        timestamp, offset = batch.timestamp(timestamp_delta), batch.base_offset + offset_delta
        key, place = _nullable_bytes(body, place)
        value, place = _nullable_bytes(body, place)
        raw_headers = body[place:]
        headers = _parse_headers(raw_headers)
    except Malformed as problem:
        return UnparsableRecord(partition, offset, timestamp, str(problem), raw_headers, key, value)
    return StoredRecord(partition, offset, timestamp, key, value, headers)


def _parse_headers(raw: bytes) -> list[tuple[str, bytes | None]]:
    count, place = _varint(raw, 0)
    if count < 0:
        raise Malformed(f"the number of headers is {count}")
    headers: list[tuple[str, bytes | None]] = []
    for number in range(1, count + 1):
        key, place = _nullable_bytes(raw, place)
        value, place = _nullable_bytes(raw, place)
        try:
            headers.append(((key or b"").decode("utf-8"), value))
        except UnicodeDecodeError as error:
            raise Malformed(f"the key of header {number} is not UTF-8") from error
    if place != len(raw):
        raise Malformed(f"{len(raw) - place} bytes are left after the headers")
    return headers


def _decompressed(batch: Batch) -> bytes:
    codec = batch.attributes & _CODEC_MASK
    if codec == 0:
        return batch.body
    name = _CODEC_NAMES.get(codec, str(codec))
    decoders = {
        _SNAPPY: (has_snappy, snappy_decode),
        _LZ4: (has_lz4, lz4_decode),
        _ZSTD: (has_zstd, zstd_decode),
    }
    try:
        if codec == _GZIP:
            return _gunzip(batch.body)
        installed, decode = decoders[codec]
        if installed():
            return bytes(decode(batch.body))
    except Malformed:
        raise
    except Exception as error:  # a codec raises whatever its library likes
        raise Malformed(f"the batch does not decompress as {name}: {error}") from error
    raise Malformed(f"the batch is compressed with {name}, which is not accepted here")


def _gunzip(body: bytes) -> bytes:
    inflating = zlib.decompressobj(wbits=31)
    data = inflating.decompress(body, _LARGEST_BATCH_BYTES)
    if inflating.unconsumed_tail:
        raise Malformed(f"the batch decompresses to more than {_LARGEST_BATCH_BYTES} bytes")
    if not inflating.eof:
        raise Malformed("the batch's gzip stream is cut short")
    return data


def _unparsable(
    partition: int, offset: int, batch: Batch, problem: str, *, value: bytes | None = None
) -> UnparsableRecord:
    return UnparsableRecord(partition, offset, batch.max_timestamp, problem, b"", None, value)


def _nullable_bytes(data: bytes, place: int) -> tuple[bytes | None, int]:
    length, place = _varint(data, place)
    if length < 0:
        return None, place
    return _exactly(data, place, length), place + length


def _exactly(data: bytes, place: int, length: int) -> bytes:
    if length < 0 or place + length > len(data):
        raise Malformed(f"{length} bytes are claimed where {len(data) - place} are left")
    return data[place : place + length]


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """A zig-zag varint of at most 64 bits and the place after it."""
    value = shift = 0
    while True:
        if place >= len(data):
            raise Malformed("a number is cut short")
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return (value >> 1) ^ -(value & 1), place
        shift += 7
        if shift > 63:
            raise Malformed("a number is longer than 64 bits")
