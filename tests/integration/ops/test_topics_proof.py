"""Both topics and the books, side by side: batches of two lanes merged from all partitions, and what is missing."""

from __future__ import annotations

from collections.abc import AsyncIterator

import orjson
import pytest

from processor.kafka.producing import EventSender, OutEvent
from processor.ops.results_shown import Proof
from processor.ops.topics_proof import TopicsProved, prove_topics
from processor.settings import Settings
from tests.conftest import TopicsFactory
from tests.contract.ledger.bookkeeper import LAYOUT, PARTITIONS, Bookkeeper, bet, letter, opening
from tests.installations import Database
from tests.integration.postgres.installed import Installed, install


@pytest.fixture
async def installed(database: Database) -> AsyncIterator[Installed]:
    made = await install(database)
    yield made
    await made.close()


class Told:
    """Publishes what a lane would have published, and proves it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    async def result(
        self, keeper: Bookkeeper, lane: int, key: str, sequence: int, partition: int, offset: int
    ) -> None:
        """The result of the decision under this key, of the keeper's last batch."""
        body = {
            "player_id": f"p-{lane}",
            "sequence": sequence,
            "replayed": False,
            "wallet_transaction_id": key,
            "source": {"partition": partition, "offset": offset},
        }
        headers: list[tuple[str, bytes | None]] = [
            ("wallet-batch", f"{LAYOUT}/{lane}/{keeper.row.applied_seq}".encode()),
            ("wallet-seal", keeper.row.seal.hex().encode()),
        ]
        await self._send(self.settings.results_topic, OutEvent(b"p", orjson.dumps(body), headers, partition))

    async def letter(self, lane: int, seq: int, partition: int, offset: int) -> None:
        headers: list[tuple[str, bytes | None]] = [
            ("wallet-batch", f"{LAYOUT}/{lane}/{seq}".encode()),
            ("wallet-dlq-partition", b"%d" % partition),
            ("wallet-dlq-offset", b"%d" % offset),
        ]
        await self._send(self.settings.dead_letters_topic, OutEvent(b"p", b"junk", headers, partition))

    async def _send(self, topic: str, event: OutEvent) -> None:
        async with EventSender(self.settings, topic=topic) as sender:
            await sender.send_many([event])

    async def prove(self) -> TopicsProved:
        return await prove_topics(self.settings, lambda _what, _done, _total: None)


@pytest.fixture
async def told(database: Database, make_test_topics: TopicsFactory) -> Told:
    topics = await make_test_topics(PARTITIONS)
    return Told(
        Settings(
            kafka_bootstrap=topics.bootstrap,
            events_topic=topics.events,
            results_topic=topics.results,
            dead_letters_topic=topics.dead_letters,
            postgres_dsn=database.worker_dsn,
        )
    )


async def ids(installed: Installed) -> dict[str, tuple[str, int, int, int]]:
    """Key to (wallet transaction id, sequence, partition, offset) of every decision."""
    worker = await installed.worker()
    rows = await worker.fetch(
        "SELECT key, wallet_transaction_id::text, sequence, event_partition, event_offset FROM outcomes"
    )
    return {row[0]: (row[1], row[2], row[3], row[4]) for row in rows}


async def publish_all(
    installed: Installed, told: Told, keeper: Bookkeeper, lane: int, known: set[str]
) -> None:
    """Everything that the last batch of a lane decided."""
    for key, (wallet_id, sequence, partition, offset) in (await ids(installed)).items():
        if key not in known:
            known.add(key)
            await told.result(keeper, lane, wallet_id, sequence, partition, offset)


async def test_batches_of_all_lanes_are_compared_and_what_is_missing_is_named(
    installed: Installed, told: Told
) -> None:
    one, other, known = await installed.keeper(0), await installed.keeper(1), set[str]()
    await one.apply(opening("p-0"))
    await publish_all(installed, told, one, 0, known)
    await other.apply(opening("p-1", 1))
    await publish_all(installed, told, other, 1, known)
    await one.apply(bet("p-0", "b-1"), dead_letters=[letter("1-2-9", partition=2, offset=9)], published_seq=1)
    await publish_all(installed, told, one, 0, known)
    await told.letter(0, 2, 2, 9)
    await one.apply(published_seq=2)
    proved = await told.prove()
    assert proved.faults.first == {}
    assert (proved.results, proved.dead_letters, proved.batches, proved.outcomes) == (3, 1, 4, 3)
    await other.apply(bet("p-1", "b-2", 100, 1), published_seq=1)
    assert (await told.prove()).faults.first == {}  # it may not be published yet
    await other.apply(published_seq=2)
    lost = await told.prove()
    assert set(lost.faults.first) == {Proof.FIRST_PUBLISHED, Proof.BATCHES}
    assert [one.outcome.transaction_id for one in lost.missing] == ["b-2"]
    assert "1/1/2" in lost.faults.first[Proof.BATCHES]
