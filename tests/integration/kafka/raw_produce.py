"""Record batches that no decent client would send, put on a topic by a raw Produce request."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from aiokafka.errors import NoError, for_code
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

from processor.kafka.connection import connected_client
from processor.kafka.questions import leader_of, retrying
from processor.settings import Settings

_CHECKSUM_AT, _COVERED_FROM = 17, 21
_PLACEHOLDER = "header-key"
_NOT_UTF8 = b"\xff\xfe\xfd-bytes"
_CODEC_AT = 22


def batch_of(values: Sequence[bytes], *, header: str | None = None) -> bytes:
    """A proper record batch of these values, all with one header key."""
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, 1 << 20)
    headers = [(header, b"value")] if header else []
    for delta, value in enumerate(values):
        builder.append(delta, 0, key=b"p-1", value=value, headers=headers)
    return bytes(builder.build())


def batch_with_bad_header_keys(values: Sequence[bytes]) -> bytes:
    """A batch that the broker takes, whose header keys are not UTF-8."""
    batch = batch_of(values, header=_PLACEHOLDER)
    return with_checksum(batch.replace(_PLACEHOLDER.encode(), _NOT_UTF8.ljust(len(_PLACEHOLDER), b"!")))


def batch_claiming_codec(values: Sequence[bytes], codec: int, body: bytes) -> bytes:
    """A batch head for these values that says it is compressed, with this body; no broker validates this one."""
    head = bytearray(batch_of(values)[:61])
    head[_CODEC_AT] = codec
    struct.pack_into(">i", head, 8, 61 - 12 + len(body))
    return with_checksum(bytes(head) + body)


def with_checksum(batch: bytes) -> bytes:
    """The batch with the checksum that its bytes have now."""
    return (
        batch[:_CHECKSUM_AT] + struct.pack(">I", calc_crc32c(batch[_COVERED_FROM:])) + batch[_COVERED_FROM:]
    )


async def produce_raw(settings: Settings, topic: str, partition: int, batch: bytes) -> None:
    """Put a record batch on a partition as it is."""
    async with connected_client(settings) as client:

        async def produce() -> None:
            leader = await leader_of(client, topic, partition)
            answer = await client.send(
                leader, ProduceRequest(None, -1, 5000, [(topic, [(partition, batch)])])
            )
            error = for_code(answer.topics[0][1][0][1])
            if error is not NoError:
                raise error(topic)

        await retrying(client, produce)
