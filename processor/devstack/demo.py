"""The demonstration: a whole installation, traffic of every kind, a killed worker, and proof that nothing was lost."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import tenacity

from processor.devstack.audience import Audience, Timing, percentile
from processor.devstack.child import Guardian
from processor.devstack.commands import croupier
from processor.devstack.demo_books import DemoBooks
from processor.devstack.demo_proof import answer_faults, audit_faults, balance_faults, count_faults
from processor.devstack.demo_report import DemoPlan, DemoReport, Numbers, Screen
from processor.devstack.embedded import EmbeddedStack
from processor.devstack.reference_data import add_providers, profiles_in
from processor.devstack.replies import Place, following
from processor.devstack.stack import POSTGRES_MIGRATOR_DSN, ExternalStack, Stack, settings_from
from processor.devstack.traffic.event import TrafficEvent
from processor.devstack.traffic.expectation import Expectation
from processor.devstack.traffic.play import Traffic
from processor.devstack.traffic.providers import PROVIDERS_TOML, rate_documents
from processor.devstack.worker import Worker
from processor.kafka.producing import EventSender
from processor.postgres.reference import replace_documents

#: The demonstration's own knobs: a killed worker is missed quickly, poison is given up quickly.
WORKER_SETTINGS: Final = {
    "CROUPIER_SESSION_TIMEOUT_SECONDS": "6",
    "CROUPIER_POISON_ATTEMPTS": "3",
    "CROUPIER_POISON_BACKOFF_SECONDS": "0.2",
    "CROUPIER_POISON_BACKOFF_MAX_SECONDS": "1",
}
_WORKERS: Final = 2
_DEAD_SECONDS: Final = 1.0
_STUCK_SECONDS: Final = 90.0
_TICK_SECONDS: Final = 0.25
_SETTLED_SECONDS: Final = 3.0
_SHOWN: Final = 5


async def play_demo(plan: DemoPlan, screen: Screen) -> DemoReport:
    """Play the whole demonstration; whatever happens, nothing that it started goes on after it.

    Raises CroupierError where it could not be played at all; what went wrong with the wallet is in the report.
    """
    logs = Path(tempfile.mkdtemp(prefix="croupier-demo-"))
    report = DemoReport(plan.seed, plan.players)
    try:
        async with _stack(plan, screen) as environment:
            await Demo(plan, screen, environment, logs, report).play()
    except asyncio.CancelledError:
        shutil.rmtree(logs, ignore_errors=True)
        raise
    except BaseException:
        screen.say(f"The workers' logs are kept in {logs}.")
        raise
    if report.faults:
        report.logs = str(logs)
    else:
        shutil.rmtree(logs)
    return report


@asynccontextmanager
async def _stack(plan: DemoPlan, screen: Screen) -> AsyncIterator[dict[str, str]]:
    stack: Stack
    if plan.external is not None:
        stack = ExternalStack(plan.external)
    else:
        screen.say("Starting a Kafka and a Postgres of our own.")
        stack = EmbeddedStack(progress=screen.say)
    await stack.start()
    try:
        yield stack.environment()
    finally:
        await stack.stop()


class Demo:
    """One demonstration on servers that answer."""

    def __init__(
        self, plan: DemoPlan, screen: Screen, environment: dict[str, str], logs: Path, report: DemoReport
    ) -> None:
        self._plan = plan
        self._screen = screen
        self._environment = {**environment, **WORKER_SETTINGS}
        self._settings = settings_from(self._environment)
        self._logs = logs
        self._report = report
        # On servers that stay, ids must be new each time; on our own, the same seed gives the same ids.
        self._run = f"d{plan.seed}" if plan.external is None else f"d{plan.seed}t{int(time.time())}"
        # Poison fills a house account to the brim, and rates are everybody's: somebody else's ledger should be left
        # with neither.
        self._traffic = Traffic(
            plan.seed,
            plan.players,
            run=self._run,
            concurrency=max(2, int(plan.rate / 10)),
            poison=plan.external is None,
            rates=plan.external is None,
        )
        self._expectation = Expectation()
        self._audience = Audience()
        self._failed_sends: list[str] = []
        self._numbers = Numbers()
        self._disturbed: tuple[float, float] | None = None

    async def play(self) -> None:
        """Set up, play, drain, prove."""
        async with AsyncExitStack() as stack:
            await self._set_up()
            guardian = Guardian()
            guardian.start()
            stack.push_async_callback(guardian.stop)
            workers = [
                Worker(f"demo-{number + 1}", self._environment, self._logs, guardian)
                for number in range(_WORKERS)
            ]
            for worker in workers:
                stack.push_async_callback(_end, worker)
            self._screen.say(f"Starting {_WORKERS} workers: croupier run.")
            for worker in workers:
                await worker.start()
            await asyncio.gather(*(worker.wait_ready() for worker in workers))
            books = await DemoBooks.open(self._environment[POSTGRES_MIGRATOR_DSN])
            stack.push_async_callback(books.close)
            await self._play_traffic(workers, books)
            for worker in workers:
                if await worker.stop() != 0:
                    self._report.faults.append(f"worker {worker.name} did not drain and end in good order")
            await self._prove(books)
        self._sum_up()

    async def _set_up(self) -> None:
        self._screen.say("Migrating the database, creating the topics, applying the provider profiles.")
        await croupier(["migrate"], self._environment)
        await croupier(["topics", "create"], self._environment)
        owner = self._environment[POSTGRES_MIGRATOR_DSN]
        await add_providers(owner, profiles_in(PROVIDERS_TOML), why="providers of the demonstration")
        if self._plan.external is None:
            rates = rate_documents(datetime.now(UTC))
            await replace_documents(owner, "rates", rates, actor="croupier", why="rates of the demonstration")

    async def _play_traffic(self, workers: list[Worker], books: DemoBooks) -> None:
        since = datetime.now(UTC) - timedelta(minutes=1)
        self._numbers.to_send = int(self._plan.rate * self._plan.seconds)
        self._screen.say(
            f"Playing {self._numbers.to_send:,} events of {self._plan.players:,} players at "
            f"{self._plan.rate:,.0f} per second (seed {self._plan.seed})."
        )
        async with following(self._settings, since, self._audience.hear) as check:
            ticking = asyncio.create_task(self._tick(books, check), name="demo-screen")
            killing = asyncio.create_task(self._kill_and_restart(workers[0]), name="demo-kill")
            try:
                await self._send_all()
                self._screen.say("All sent; waiting for the last answers.")
                await killing
                await self._drain(ticking)
            finally:
                for task in (killing, ticking):
                    task.cancel()
                await asyncio.gather(killing, ticking, return_exceptions=True)

    async def _send_all(self) -> None:
        loop = asyncio.get_running_loop()
        async with EventSender(self._settings) as sender:
            began = loop.time()
            for number, event in enumerate(self._traffic.events(self._numbers.to_send)):
                early = began + number / self._plan.rate - loop.time()
                if early > 0:
                    await asyncio.sleep(early)
                self._expectation.hear(event)
                sending = await sender.send(event.value, key=event.key)
                sending.add_done_callback(partial(self._note_sent, event))
            await sender.flush()
            self._report.seconds = loop.time() - began
        self._expectation.finish()

    def _note_sent(self, event: TrafficEvent, sending: asyncio.Future[Any]) -> None:
        if sending.exception() is not None:
            self._failed_sends.append(f"{event.what} was not taken by Kafka: {sending.exception()}")
            return
        sent = sending.result()
        self._audience.ask(Place(sent.partition, sent.offset), sent.timestamp, event)

    async def _kill_and_restart(self, worker: Worker) -> None:
        if not self._plan.kill:
            return
        await asyncio.sleep(self._plan.seconds / 2)
        began = time.time() * 1000
        self._screen.say(f"Killing worker {worker.name} (SIGKILL), and starting it again a second later.")
        await worker.kill()
        self._report.killed += 1
        await asyncio.sleep(_DEAD_SECONDS)
        await worker.start()
        await worker.wait_ready()
        self._screen.say(f"Worker {worker.name} has its lanes again.")
        self._disturbed = (began, (time.time() + _SETTLED_SECONDS) * 1000)

    async def _drain(self, ticking: asyncio.Task[None]) -> None:
        """Until every event has its answer, or nothing has come for a long time."""

        def stuck() -> bool:
            return time.monotonic() - self._audience.last_answer_at > _STUCK_SECONDS or ticking.done()

        def over(_state: tenacity.RetryCallState) -> bool:
            return stuck()

        try:
            await tenacity.AsyncRetrying(
                wait=tenacity.wait_fixed(0.1),
                stop=over,
                retry=tenacity.retry_if_result(lambda outstanding: outstanding > 0),
            )(self._outstanding)
        except tenacity.RetryError:
            if ticking.done():
                ticking.result()

    async def _outstanding(self) -> int:
        return self._audience.outstanding

    async def _tick(self, books: DemoBooks, check: Callable[[], None]) -> None:
        began, numbers, audience = time.monotonic(), self._numbers, self._audience
        while True:
            check()
            numbers.parked = await books.parked()
            self._report.most_parked = max(self._report.most_parked, numbers.parked)
            numbers.sent, numbers.lag = audience.sent, audience.outstanding
            numbers.rate = audience.answered / (time.monotonic() - began + 0.001)
            numbers.accepted, numbers.rejected = audience.accepted, audience.rejected
            numbers.replayed, numbers.dead_letters = audience.replayed, sum(audience.letters.values())
            recent = audience.recent_latencies()
            numbers.p50_ms, numbers.p99_ms = percentile(recent, 0.5), percentile(recent, 0.99)
            self._screen.show(numbers)
            await asyncio.sleep(_TICK_SECONDS)

    async def _prove(self, books: DemoBooks) -> None:
        self._screen.say("Auditing the books and the topics, comparing every balance.")
        self._report.faults += [
            *self._failed_sends[:_SHOWN],
            *answer_faults(self._audience),
            *count_faults(self._expectation, self._audience),
            *await audit_faults(self._environment),
        ]
        expected, actual = self._expectation.balances(), await books.balances(self._run)
        self._report.balances_compared = len(expected)
        self._report.faults += balance_faults(expected, actual)

    def _sum_up(self) -> None:
        report, audience = self._report, self._audience
        report.events = audience.sent
        report.accepted, report.rejected, report.replayed = (
            audience.accepted,
            audience.rejected,
            audience.replayed,
        )
        report.codes, report.letters = (
            dict(audience.codes.most_common()),
            dict(audience.letters.most_common()),
        )
        every = [timing.latency_ms for timing in audience.timings]
        # On a machine so slow that the trouble touched every event there is no calm to tell of.
        calm = [timing.latency_ms for timing in audience.timings if not self._is_disturbed(timing)] or every
        report.p50_ms, report.p99_ms = percentile(calm, 0.5), percentile(calm, 0.99)
        report.p99_with_kill_ms = percentile(every, 0.99) if self._disturbed is not None else None

    def _is_disturbed(self, timing: Timing) -> bool:
        """Whether the event was on its way while a worker was dead or catching up."""
        if self._disturbed is None:
            return False
        began, ended = self._disturbed
        return timing.arrived_ms >= began and timing.sent_ms <= ended


async def _end(worker: Worker) -> None:
    if worker.alive:
        await worker.kill()
