"""The bench: the bare loop, the bare loop with the least ledger, and the product, on the same records, in turns."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import asyncpg

from processor.devstack.bare_loop import BarePlan
from processor.devstack.bench_measure import (
    BenchFailed,
    Span,
    create_topic,
    drained,
    latencies,
    produce,
    span,
)
from processor.devstack.bench_report import BenchPlan, BenchReport, Drain, Latency
from processor.devstack.bench_traffic import PROVIDERS_TOML, BenchEvent, BenchTraffic
from processor.devstack.child import Guardian
from processor.devstack.commands import croupier
from processor.devstack.embedded import EmbeddedStack
from processor.devstack.least_ledger import make_least_ledger
from processor.devstack.reference_data import add_providers, profiles_in
from processor.devstack.stack import POSTGRES_MIGRATOR_DSN, settings_from
from processor.devstack.worker import Worker
from processor.kafka.tailing import end_offsets

_BARE_RESULTS: Final = "bench.results"
_BARE_EVENTS: Final = "bench.events"
_WARM_UP_EVENTS: Final = 4000
_BARE_STOP_SECONDS: Final = 30.0
#: As many lanes as the product has.
_LEAST_PRODUCERS: Final = 4
_SQL: Final = Path(__file__).parent / "sql"

Say = Callable[[str], None]


@asynccontextmanager
async def own_ground(say: Say) -> AsyncIterator[tuple[dict[str, str], Path, Guardian]]:
    """What a bench owns: an embedded stack (as variables), a directory, who ends its workers; gone with the block."""
    async with AsyncExitStack() as stack:
        directory = Path(tempfile.mkdtemp(prefix="croupier-bench-"))
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        say("Starting a Kafka and a Postgres of our own.")
        servers = await stack.enter_async_context(EmbeddedStack(progress=say))
        guardian = Guardian()
        guardian.start()
        stack.push_async_callback(guardian.stop)
        yield servers.environment(), directory, guardian


async def run_bench(plan: BenchPlan, say: Say) -> BenchReport:
    """Measure on an embedded stack of its own; nothing that it started goes on after it.

    Raises CroupierError where a measurement would mean nothing.
    """
    async with own_ground(say) as (environment, directory, guardian):
        bench = Bench(plan, say, environment, directory, guardian)
        await bench.run()
        return bench.report


class Bench:
    """One bench on servers that answer."""

    def __init__(
        self, plan: BenchPlan, say: Say, environment: dict[str, str], directory: Path, guardian: Guardian
    ) -> None:
        self.report = BenchReport(plan)
        self._plan = plan
        self._say = say
        self._environment = environment
        self._settings = settings_from(environment)
        self._traffic = BenchTraffic(plan.players)
        self._worker = Worker("bench", environment, directory, guardian)
        self._headers: list[tuple[str, str]] = []
        self._value_bytes = 0
        self._runs = 0

    async def run(self) -> None:
        await self._set_up()
        for number in range(self._plan.pairs):
            await self._drain_pair(number)
        for number in range(self._plan.pairs):
            await self._latency_pair(number)

    async def _set_up(self) -> None:
        """Topics, players with money, statistics; and one real result to model the bare loop's on."""
        self._say(f"Setting up: {self._plan.players:,} players open, deposit and sit down.")
        await croupier(["migrate"], self._environment)
        await croupier(["topics", "create"], self._environment)
        owner = self._environment[POSTGRES_MIGRATOR_DSN]
        await add_providers(owner, profiles_in(PROVIDERS_TOML), why="the provider of the bench")
        await create_topic(self._settings, _BARE_RESULTS)
        await create_topic(self._settings, _BARE_EVENTS, **{"message.timestamp.type": "LogAppendTime"})
        await make_least_ledger(owner, self._plan.players)
        await self._product_drains(list(self._traffic.opening()))
        await self._analyze()
        warm = await self._product_drains(self._traffic.play(_WARM_UP_EVENTS))
        await self._analyze()
        self._headers = [(name, (value or b"").decode()) for name, value in warm.sample.headers]
        self._value_bytes = len(warm.sample.value)

    async def _analyze(self) -> None:
        connection = await asyncpg.connect(self._environment[POSTGRES_MIGRATOR_DSN], timeout=10)
        try:
            await connection.execute((_SQL / "bench_analyze.sql").read_text())
        finally:
            await connection.close()

    # ------------------------------------------------------------------------------------------- drains

    async def _drain_pair(self, number: int) -> None:
        """A new backlog, drained by the bare loop (each number of producers) and by the product, in turns."""
        topic = self._settings.events_topic
        starts = await end_offsets(self._settings, topic)
        await produce(self._settings, self._traffic.play(self._plan.events))
        ends = await end_offsets(self._settings, topic)
        bare: dict[int, float] = {}
        product = 0.0
        # Every other pair the product goes first, so that neither always finds the warmer machine.
        if number % 2:
            product = (await self._product_span(ends, measured=True)).per_second
        for producers in self._plan.bare_producers:
            bare[producers] = await self._bare_drains(producers, starts, ends)
        least = await self._bare_drains(_LEAST_PRODUCERS, starts, ends, with_least_ledger=True)
        if not number % 2:
            product = (await self._product_span(ends, measured=True)).per_second
        drain = Drain(bare, product, least)
        self.report.drains.append(drain)
        self._say(
            f"Drain {number + 1} of {self._plan.pairs}: bare {drain.best_bare:,.0f} per second, "
            f"least ledger {drain.least:,.0f}, product {drain.product:,.0f}, ratio {drain.ratio:.2f}."
        )

    async def _product_drains(self, events: list[BenchEvent]) -> Span:
        await produce(self._settings, events)
        return await self._product_span(await end_offsets(self._settings, self._settings.events_topic))

    async def _product_span(self, ends: Mapping[int, int], *, measured: bool = False) -> Span:
        """Run one worker until the backlog is drained. Raises BenchFailed if any result was not accepted."""
        results = await end_offsets(self._settings, self._settings.results_topic)
        async with self._product():
            await drained(
                self._settings,
                self._settings.group,
                ends,
                alive=lambda: self._worker.alive,
                progress=self._watch_drain(self._plan.events) if measured else lambda _left: None,
            )
        found = await span(self._settings, self._settings.results_topic, results)
        if not found.count or found.accepted != found.count:
            raise BenchFailed(
                f"of {found.count} results only {found.accepted} are accepted: this is no measurement"
            )
        return found

    async def _bare_drains(
        self,
        producers: int,
        starts: Mapping[int, int],
        ends: Mapping[int, int],
        *,
        with_least_ledger: bool = False,
    ) -> float:
        results = await end_offsets(self._settings, _BARE_RESULTS)
        plan = self._bare_plan(producers, self._settings.events_topic, starts, ends)
        if with_least_ledger:
            plan = replace(plan, least_ledger_dsn=self._environment[POSTGRES_MIGRATOR_DSN])
        async with self._bare_loop(plan) as process:
            await drained(self._settings, plan.group, ends, alive=lambda: process.returncode in {None, 0})
            if await asyncio.wait_for(process.wait(), _BARE_STOP_SECONDS) != 0:
                raise BenchFailed("the bare loop ended badly")
        found = await span(self._settings, _BARE_RESULTS, results)
        if found.count != sum(ends[one] - starts[one] for one in ends):
            raise BenchFailed(f"the bare loop made {found.count} results: this is no measurement")
        return found.per_second

    def _bare_plan(
        self, producers: int, topic: str, starts: Mapping[int, int], ends: Mapping[int, int] | None
    ) -> BarePlan:
        self._runs += 1
        return BarePlan(
            bootstrap=self._settings.kafka_bootstrap,
            events_topic=topic,
            results_topic=_BARE_RESULTS,
            group=f"bench-bare-{self._runs}",
            producers=producers,
            max_records=self._settings.max_batch_records,
            starts={str(one): offset for one, offset in starts.items()},
            ends=None if ends is None else {str(one): offset for one, offset in ends.items()},
            value_bytes=self._value_bytes,
            headers=self._headers,
        )

    @asynccontextmanager
    async def _bare_loop(self, plan: BarePlan) -> AsyncIterator[asyncio.subprocess.Process]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "processor.devstack.bare_loop", stdin=asyncio.subprocess.PIPE
        )
        try:
            if process.stdin is None:
                raise BenchFailed("the bare loop cannot be told its plan")
            process.stdin.write(plan.to_json())
            process.stdin.close()
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()

    # ------------------------------------------------------------------------------------------ latency

    async def _latency_pair(self, number: int) -> None:
        """Each rate on the bare loop (each number of producers), then on the product."""
        for producers in self._plan.bare_producers:
            starts = await end_offsets(self._settings, _BARE_EVENTS)
            async with self._bare_loop(self._bare_plan(producers, _BARE_EVENTS, starts, None)):
                for rate in self._plan.rates:
                    found = Latency.of(await self._latencies(_BARE_EVENTS, _BARE_RESULTS, rate))
                    self.report.bare_latency.setdefault((rate, producers), []).append(found)
        async with self._product():
            await self._worker.wait_ready()
            for rate in self._plan.rates:
                topics = (self._settings.events_topic, self._settings.results_topic)
                found = Latency.of(await self._latencies(*topics, rate))
                self.report.product_latency.setdefault(rate, []).append(found)
        told = "; ".join(
            f"at {rate:,}/s bare {self.report.last_bare_p99_ms(rate):.0f}, "
            f"product {self.report.product_latency[rate][-1].p99_ms:.0f}"
            for rate in self._plan.rates
        )
        self._say(f"Latency {number + 1} of {self._plan.pairs}, p99 in ms: {told}.")

    async def _latencies(self, events_topic: str, results_topic: str, rate: int) -> list[float]:
        return await latencies(
            self._settings,
            events_topic,
            results_topic,
            self._traffic.play(int(rate * self._plan.seconds)),
            rate=rate,
            warm_up_seconds=self._plan.warm_up_seconds,
        )

    # ------------------------------------------------------------------------------------------- worker

    @asynccontextmanager
    async def _product(self) -> AsyncIterator[None]:
        """One worker runs as long as the block does, and drains at its end."""
        await self._worker.start()
        try:
            yield
        except BaseException:
            if self._worker.alive:
                await self._worker.kill()
            raise
        self.report.memory.peak_mib = max(self.report.memory.peak_mib, self._worker.peak_mib())
        if await self._worker.stop() != 0:
            raise BenchFailed(
                f"the worker did not end in good order; its log ends:\n{self._worker.log_tail()}"
            )

    def _watch_drain(self, events: int) -> Callable[[int], None]:
        """Keep the worker's memory after a quarter of the backlog, and at its end with what it cost."""
        begun: list[float] = []

        def watch(left: int) -> None:
            if not begun and left <= events * 3 / 4:
                begun.append(self._worker.resident_mib())
            if left == 0:
                cost = self.report.memory
                cost.quarter_mib += begun
                cost.end_mib.append(self._worker.resident_mib())
                self.report.product_cpu.append(self._worker.cpu_seconds() * 1e6 / events)

        return watch
