"""All that watches a worker's lanes, put together: metrics, health and log lines behind one observer."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from processor.lane.steps import Step
from processor.ports import KeyFacts
from processor.settings import Settings
from processor.telemetry.health import Health
from processor.telemetry.http import pages, serving
from processor.telemetry.logging import logger
from processor.telemetry.metrics import MetricsObserver

#: A lane that retries the same batch says so at its first attempts, then only now and then.
_LOUD_ATTEMPTS = 3
_QUIET_SECONDS = 30.0


class Watch:
    """The worker's observer (`lane.observer.Observer`): counts, notes health, and logs what people must know.

    What happens in every batch is only counted (and logged at debug); what changes a lane's state is a log
    line.
    """

    def __init__(self, settings: Settings, *, metrics: MetricsObserver | None = None) -> None:
        self.metrics = MetricsObserver() if metrics is None else metrics
        self.health = Health(stall_seconds=settings.stall_seconds)
        self._log = logger()
        self._readiness: dict[int, tuple[bool, str]] = {}
        self._said_at: dict[tuple[int, str], float] = {}
        self._key_ids: list[str] = []

    @asynccontextmanager
    async def serving(self, settings: Settings) -> AsyncIterator[int]:
        """Serve the probes and metrics until the block ends; yields the port and logs it."""
        served = pages(self.health, self.metrics.render)
        async with serving(settings.http_host, settings.http_port, served) as port:
            self._log.info(
                f"Probes and metrics are at http://{settings.http_host}:{port} (/livez, /readyz, /metrics).",
                action="http.listening",
                port=port,
            )
            yield port

    # What lanes tell, in `Observer`'s order.

    def turned(self, lane: int) -> None:
        self._goes_on(lane)
        self.health.turned(lane)
        self.metrics.turned(lane)

    def ready(self, lane: int, is_ready: bool, why: str = "") -> None:
        self.health.ready(lane, is_ready, why)
        self.metrics.ready(lane, is_ready, why)
        if self._readiness.get(lane) == (is_ready, why):
            return
        self._readiness[lane] = (is_ready, why)
        if is_ready:
            self._log.info(f"{_who(lane)} is ready.", action="lane.ready", lane=lane)
        else:
            self._log.warning(
                f"{_who(lane)} is not ready: {why.rstrip('.')}.", action="lane.not_ready", lane=lane, why=why
            )

    def step_taken(self, lane: int, step: Step, seconds: float) -> None:
        self.metrics.step_taken(lane, step, seconds)

    def applied(
        self, lane: int, seq: int, events: int, codes: Mapping[str, int], reasons: Mapping[str, int]
    ) -> None:
        self._goes_on(lane)
        self.metrics.applied(lane, seq, events, codes, reasons)
        self._log.debug(
            f"{_who(lane)} applied batch {seq} of {events} events.",
            action="batch.applied",
            lane=lane,
            seq=seq,
            events=events,
        )
        if reasons:
            self._log.info(
                f"{_who(lane)} set {sum(reasons.values())} events aside as dead letters in batch {seq}.",
                action="dead_letters.stored",
                lane=lane,
                seq=seq,
                reasons={str(reason): count for reason, count in reasons.items()},
            )

    def answered(self, lane: int, replayed: int, parked_change: int) -> None:
        self.metrics.answered(lane, replayed, parked_change)

    def published(self, lane: int, seq: int, records: int) -> None:
        self.metrics.published(lane, seq, records)

    def lag(self, lane: int, partition: int, records: int, seconds: float) -> None:
        self.metrics.lag(lane, partition, records, seconds)

    def retrying(self, lane: int, error: BaseException, attempt: int) -> None:
        """A lane that retries in place is not ready until it goes on; what the worker itself retries changes
        nothing for its lanes."""
        self.metrics.retrying(lane, error, attempt)
        if lane >= 0:
            self.health.retrying(lane, f"tries again: {error}")
            self.metrics.turned(lane)
            self.metrics.ready(lane, False)
        if attempt > _LOUD_ATTEMPTS and not self._is_time(lane, "retrying"):
            return
        self._log.warning(
            f"{_who(lane)} tries again (attempt {attempt}): {error}",
            action="batch.retrying",
            lane=lane,
            attempt=attempt,
            error=type(error).__name__,
        )

    def recovering(self, lane: int, why: str) -> None:
        self.metrics.recovering(lane, why)
        self._log.info(f"{_who(lane)} recovers: {why}.", action="lane.recovering", lane=lane, why=why)

    def recovered(self, lane: int, epoch: int, republished: int, concluded: str) -> None:
        self._goes_on(lane)
        self.metrics.recovered(lane, epoch, republished, concluded)
        self._log.info(
            f"{_who(lane)} recovered in epoch {epoch}; {republished} batches published from the journal.",
            action="lane.recovered",
            lane=lane,
            epoch=epoch,
            republished=republished,
            concluded=concluded,
        )

    def fenced(self, lane: int, why: str) -> None:
        self.metrics.fenced(lane, why)
        self.health.left(lane)
        self._readiness.pop(lane, None)
        self._log.warning(f"{_who(lane)} has another owner: {why}.", action="lane.fenced", lane=lane, why=why)

    def stopped(self, lane: int, reason: str) -> None:
        self.metrics.stopped(lane, reason)
        self.health.stopped(lane, reason)
        self._log.error(
            f"{_who(lane)} stopped: {reason.rstrip('.')}.{_way_out(lane)}",
            action="lane.stopped",
            lane=lane,
            reason=reason,
        )

    def left(self, lane: int) -> None:
        """The lane went to another worker, or was put down in good order."""
        self.metrics.left(lane)
        self.health.left(lane)
        self._readiness.pop(lane, None)
        self._log.info(f"{_who(lane)} was put down.", action="lane.left", lane=lane)

    def poison(self, lane: int, partition: int, offset: int, error: BaseException) -> None:
        self.metrics.poison(lane, partition, offset, error)
        self._log.error(
            f"The event at partition {partition}, offset {offset} made the program fail: {error}",
            action="event.poison",
            lane=lane,
            partition=partition,
            offset=offset,
            error=type(error).__name__,
        )

    def rebalanced(self, assigned: int) -> None:
        self.metrics.rebalanced(assigned)
        self.health.rebalanced(assigned)
        self._log.info(
            f"The group gave this worker {assigned} partitions.", action="group.assigned", partitions=assigned
        )

    def keys(self, known: Sequence[KeyFacts]) -> None:
        self.metrics.keys(known)
        key_ids = [key.key_id for key in known]
        if key_ids != self._key_ids:
            self._key_ids = key_ids
            self._log.info(f"{len(known)} keys are known.", action="keys.read", key_ids=key_ids)

    def keys_trouble(self, sentence: str) -> None:
        self.metrics.keys_trouble(sentence)
        self._log.warning(sentence, action="keys.trouble")

    def _goes_on(self, lane: int) -> None:
        """A sign that nothing is being retried now: a batch applied, a recovery done, a round of the loop begun
        (on a topic without events no batch would ever say it)."""
        if self.health.goes_on(lane):
            self.metrics.ready(lane, True)
            self._log.info(f"{_who(lane)} goes on.", action="lane.goes_on", lane=lane)

    def _is_time(self, lane: int, about: str) -> bool:
        now = time.monotonic()
        if now - self._said_at.get((lane, about), -_QUIET_SECONDS) < _QUIET_SECONDS:
            return False
        self._said_at[lane, about] = now
        return True


def _who(lane: int) -> str:
    """What a log line calls it: a lane below 0 stands for the worker itself."""
    return f"Lane {lane}" if lane >= 0 else "The worker"


def _way_out(lane: int) -> str:
    """What a person can do: a lane is resumed; for the topic as a whole the reason itself says what to look at."""
    return f" Once it is clear why, run: croupier lanes resume {lane} --reason …" if lane >= 0 else ""
