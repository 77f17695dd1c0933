"""The one file that knows Kafka, Postgres and the law at once: it puts a worker together and lets it serve."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import time
from collections.abc import Sequence, Set
from contextlib import suppress
from dataclasses import dataclass

from processor.domain.queues import Bounds
from processor.errors import (
    CroupierError,
    KeysUnusable,
    LayoutDiffers,
    TopicReplaced,
    UnsafeProduction,
    WorldFault,
)
from processor.kafka.connection import connected_client
from processor.kafka.publisher import KafkaPublisherFactory
from processor.kafka.questions import topic_facts
from processor.kafka.reader import KafkaEventReader
from processor.kafka.topics import check_topics
from processor.keys.ring import KeyRing
from processor.lane.apply import Batches
from processor.lane.authenticate import Gate
from processor.lane.breaker import Breaker
from processor.lane.decode import broker_time
from processor.lane.fetch import Intake
from processor.lane.keeper import Keeper
from processor.lane.lane import Lane
from processor.lane.observer import Observer, SilentObserver
from processor.lane.patience import Patience
from processor.lane.recovery import Recovery
from processor.lane.references import Lifetimes, References, Row
from processor.lane.watermarks import Watermarks
from processor.ports import Clock, EventReader, Keys, Layout, PublisherFactory, StepHook
from processor.postgres.connection import Timeouts
from processor.postgres.key_uses import KeyUse, note_key_uses
from processor.postgres.layout_store import PostgresLayoutStore
from processor.postgres.ledger import PostgresLedger
from processor.postgres.reference import KINDS, listen, read_kinds, reference_of
from processor.postgres.rights import ways_to_alter_the_books
from processor.production import refusals
from processor.settings import Settings
from processor.system import RandomIdentifiers, SystemClock

#: How often the database hears when keys were last used.
_USES_TOLD_SECONDS = 30.0


async def serve(
    settings: Settings,
    *,
    stopping: asyncio.Event,
    hook: StepHook | None = None,
    observer: Observer | None = None,
    clock: Clock | None = None,
) -> None:
    """Be a worker until ``stopping`` is set; then drain every lane and leave the group.

    Raises, before it touches anything, `errors.Unreachable` and the kinds of `errors.WrongInstallation`.
    """
    await refuse_unsafe_production(settings)
    watching = observer or SilentObserver()
    keys = key_ring(settings, watching)
    layout = await settle_layout(settings)
    references = _references(settings)
    await references.refresh()
    reader = KafkaEventReader(
        settings, lanes=layout.lanes, partitions=layout.partitions, static_id=settings.group_instance_id
    )
    parts = _Parts(
        settings,
        layout,
        reader,
        KafkaPublisherFactory(settings),
        references,
        watching,
        hook or no_hook,
        clock or SystemClock(),
        keys,
        gate_of(settings, keys),
    )
    keeper = Keeper(
        layout, parts.make_lane, reader, watching, drain_timeout_seconds=settings.drain_timeout_seconds
    )
    meanwhile = [asyncio.create_task(_keep_fresh(references, settings, watching), name="reference-data")]
    if keys is not None:
        meanwhile.append(asyncio.create_task(_keep_keys(keys, settings, watching), name="keys"))
    try:
        await reader.start(keeper)
        await keeper.run(stopping)
    finally:
        for task in meanwhile:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await reader.stop(leave_group=True)


async def refuse_unsafe_production(settings: Settings) -> None:
    """In production, everything that is not safe there, all at once. Raises `errors.UnsafeProduction`, unreachable."""
    if settings.environment != "production":
        return
    unsafe = refusals(settings)
    if not unsafe:
        role, ways = await ways_to_alter_the_books(settings.postgres_dsn.get_secret_value())
        if ways:
            unsafe.append(
                f"The database role {role} could alter or delete entries ({', '.join(ways)}): let "
                f"CROUPIER_POSTGRES_DSN log in as {settings.worker_role}, to which `croupier migrate` gives a worker's "
                "rights."
            )
    if unsafe:
        raise UnsafeProduction("This is production (CROUPIER_ENVIRONMENT). " + " ".join(unsafe))


async def settle_layout(settings: Settings) -> Layout:
    """The stored layout, or the first one, made now; checked against the topics as they are.

    Raises `errors.LayoutDiffers`, `errors.TopicMissing`, `errors.TopicDiffers`, `errors.NotMigrated`, unreachable.
    """
    store = PostgresLayoutStore(settings.postgres_dsn.get_secret_value(), timeouts=timeouts(settings))
    try:
        stored = await store.current()
        await check_topics(settings, stored.partitions if stored else settings.partitions)
        async with connected_client(settings) as client:
            facts = await topic_facts(client, settings.events_topic)
        if stored is None:
            first = Layout(
                1,
                settings.events_topic,
                facts.topic_id,
                facts.partitions,
                min(settings.lanes, facts.partitions),
                settings.shards,
            )
            stored = await store.create_first(first)
    finally:
        await store.close()
    _check_layout(settings, stored, facts.topic_id)
    return stored


def _check_layout(settings: Settings, layout: Layout, topic_id: str) -> None:
    if layout.topic != settings.events_topic:
        raise LayoutDiffers(
            f"this database keeps the books of the topic {layout.topic}, the settings name {settings.events_topic}: "
            "set CROUPIER_EVENTS_TOPIC or CROUPIER_POSTGRES_DSN so that they belong together."
        )
    if layout.topic_id != topic_id:
        raise TopicReplaced(
            f"the topic {layout.topic} has the id {topic_id}, the books were begun with {layout.topic_id}: it was "
            "deleted and made again, so its offsets mean nothing here. Restore the topic, or begin with a new database."
        )
    if "lanes" in settings.model_fields_set and layout.lanes != min(settings.lanes, layout.partitions):
        raise LayoutDiffers(
            f"the stored layout {layout.number} has {layout.lanes} lanes, {settings.lanes} were asked for: leave "
            "--lanes (CROUPIER_LANES) out, or change the layout with `croupier lanes resize`."
        )


@dataclass(slots=True)
class _Parts:
    """What the lanes of one worker share."""

    settings: Settings
    layout: Layout
    reader: EventReader
    publishers: PublisherFactory
    references: References
    observer: Observer
    hook: StepHook
    clock: Clock
    keys: Keys | None = None
    gate: Gate | None = None

    def make_lane(self, number: int, partitions: Sequence[int]) -> Lane:
        """A lane with a ledger connection of its own; its producer is made by its recovery."""
        settings, clock = self.settings, self.clock
        ledger = PostgresLedger(
            settings.postgres_dsn.get_secret_value(), shards=self.layout.shards, timeouts=timeouts(settings)
        )
        patience = Patience(
            number, clock, self.observer, settings.retry_backoff_seconds, settings.retry_backoff_max_seconds
        )
        watermarks = Watermarks(clock)
        return Lane(
            number,
            partitions,
            reader=self.reader,
            ledger=ledger,
            recovery=self._recovery(number, partitions, ledger),
            batches=self._batches(number, ledger, clock, watermarks, patience),
            intake=Intake(
                self.reader,
                max_records=settings.max_batch_records,
                max_bytes=settings.max_batch_bytes,
                wait_seconds=settings.fetch_wait_seconds,
            ),
            watermarks=watermarks,
            clock=clock,
            observer=self.observer,
            patience=patience,
            max_batch_records=settings.max_batch_records,
            suspect_takeovers=settings.suspect_takeovers,
            lease_patience_seconds=settings.session_timeout_seconds / 2,
        )

    def _recovery(self, number: int, partitions: Sequence[int], ledger: PostgresLedger) -> Recovery:
        return Recovery(
            self.layout,
            number,
            partitions,
            self.reader,
            self.publishers,
            ledger,
            owner=f"{socket.gethostname()}:{os.getpid()}",
            publish_timeout_seconds=self.settings.publish_timeout_seconds,
            hook=self.hook,
        )

    def _batches(
        self,
        number: int,
        ledger: PostgresLedger,
        clock: Clock,
        watermarks: Watermarks,
        patience: Patience,
    ) -> Batches:
        settings = self.settings
        return Batches(
            number,
            ledger,
            clock,
            RandomIdentifiers(),
            self.references,
            watermarks,
            Bounds(
                max_parked=settings.max_parked,
                poison_attempts=settings.poison_attempts,
                backoff_first_seconds=settings.poison_backoff_seconds,
                backoff_longest_seconds=settings.poison_backoff_max_seconds,
            ),
            Breaker(
                in_a_row=settings.breaker_in_a_row,
                share=settings.breaker_share,
                window=settings.breaker_window,
            ),
            patience,
            self.observer,
            self.hook,
            settings.events_topic,
            settings.group,
            settings.max_event_bytes,
            random.Random(),
            gate=self.gate,
            results_keys=self.keys if settings.sign_results else None,
        )


async def no_hook(step: int, when: str, seq: int) -> None:
    """The hook of a worker that nobody troubles."""


def timeouts(settings: Settings) -> Timeouts:
    """The bounds of every Postgres session."""
    return Timeouts(
        statement_seconds=settings.statement_timeout_seconds,
        lock_seconds=settings.lock_timeout_seconds,
        idle_in_transaction_seconds=settings.idle_in_transaction_timeout_seconds,
    )


def key_ring(settings: Settings, observer: Observer) -> KeyRing | None:
    """The keys, where anything is to be signed or believed by them. Raises `errors.KeysUnusable`."""
    if settings.keys_directory is None or not (settings.signing == "required" or settings.sign_results):
        return None
    ring = KeyRing(settings.keys_directory, environment=settings.environment, complain=observer.keys_trouble)
    ring.load()
    if settings.sign_results and ring.operator_key() is None:
        raise KeysUnusable(
            "Results are to be signed (CROUPIER_SIGN_RESULTS), and the operator has no key that is valid now: make one "
            "with `croupier keys new operator`."
        )
    return ring


def gate_of(settings: Settings, keys: Keys | None) -> Gate | None:
    """What believes signatures, where they are required."""
    if settings.signing != "required" or keys is None:
        return None
    return Gate(keys, window_ms=round(settings.signature_window_seconds * 1000))


async def _keep_keys(ring: KeyRing, settings: Settings, observer: Observer) -> None:
    """Look at the keys' directory every few seconds (off the event loop: it may be on a network), and tell of them."""
    told: dict[str, int] = {}
    tell_at = 0.0
    while True:
        observer.keys(ring.facts())
        if time.monotonic() >= tell_at:
            await _tell_uses(ring, settings, observer, told)
            tell_at = time.monotonic() + _USES_TOLD_SECONDS
        await asyncio.sleep(settings.keys_poll_seconds)
        await asyncio.to_thread(ring.refresh)


async def _tell_uses(ring: KeyRing, settings: Settings, observer: Observer, told: dict[str, int]) -> None:
    """Tell the database which keys were used since the last time, for `croupier keys list`."""
    used = {fact.key_id: fact for fact in ring.facts() if fact.uses > told.get(fact.key_id, 0)}
    if not used:
        return
    try:
        await note_key_uses(
            settings.postgres_dsn.get_secret_value(),
            [
                KeyUse(
                    fact.key_id,
                    fact.owner,
                    broker_time(fact.last_used_ms),
                    fact.uses - told.get(fact.key_id, 0),
                )
                for fact in used.values()
            ],
        )
    except CroupierError as fault:
        observer.retrying(-1, fault, 1)
        return
    told.update({key_id: fact.uses for key_id, fact in used.items()})


def _references(settings: Settings) -> References:
    dsn = settings.postgres_dsn.get_secret_value()

    async def read(kinds: Set[str]) -> list[Row]:
        return [Row(*row) for row in await read_kinds(dsn, kinds)]

    return References(read, reference_of, frozenset(KINDS), _lifetimes(settings))


def _lifetimes(settings: Settings) -> Lifetimes:
    return Lifetimes(
        settings.providers_cached_seconds, settings.games_cached_seconds, settings.preferences_cached_seconds
    )


async def _keep_fresh(references: References, settings: Settings, observer: Observer) -> None:
    """Read the reference data again after its time, and at once when somebody applied something (NOTIFY)."""
    told = asyncio.Event()
    while True:
        try:
            async with listen(settings.postgres_dsn.get_secret_value(), told.set):
                told.set()  # what was announced while nobody listened
                while True:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(_lifetimes(settings).shortest):
                            await told.wait()
                    was_told = told.is_set()
                    told.clear()
                    await references.refresh(told=was_told)
        except WorldFault as fault:
            observer.retrying(-1, fault, 1)
            await asyncio.sleep(settings.retry_backoff_max_seconds)
