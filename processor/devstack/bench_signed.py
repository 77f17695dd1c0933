"""What believing signatures costs: the same signed records drained by a worker that verifies them and by one that does
not look, in turns, in one run."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from processor.devstack.bench import Bench, Say, own_ground
from processor.devstack.bench_measure import produce
from processor.devstack.bench_report import BenchPlan
from processor.devstack.bench_traffic import PROVIDER
from processor.devstack.child import Guardian
from processor.devstack.worker import Worker
from processor.kafka.tailing import end_offsets
from processor.keys.ring import KeyRing
from processor.keys.signer import EventSigner
from processor.keys.writing import make

#: What verification may cost of the drain rate.
MOST_COST = 0.10


@dataclass(slots=True)
class SignedReport:
    """Pairs of (verifying, not looking), events per second and processor microseconds per event."""

    plan: BenchPlan
    per_second: list[tuple[float, float]] = field(default_factory=list)
    cpu: list[tuple[float, float]] = field(default_factory=list)

    @property
    def cost(self) -> float:
        """The share of the drain rate that verification takes: the median of the pairs."""
        return median(1 - verifying / unsigned for verifying, unsigned in self.per_second)

    def as_document(self) -> dict[str, Any]:
        """What `croupier bench --signed --json` prints."""
        verifying, unsigned = zip(*self.per_second, strict=True)
        verifying_cpu, unsigned_cpu = zip(*self.cpu, strict=True)
        return {
            "signed_per_second": round(median(verifying)),
            "unsigned_per_second": round(median(unsigned)),
            "cost": round(self.cost, 3),
            "signed_cpu_us_per_event": round(median(verifying_cpu), 1),
            "unsigned_cpu_us_per_event": round(median(unsigned_cpu), 1),
            "events": self.plan.events,
            "pairs": [
                {"signed_per_second": round(one), "unsigned_per_second": round(other)}
                for one, other in self.per_second
            ],
        }


async def run_signed_bench(plan: BenchPlan, say: Say) -> SignedReport:
    """Measure on an embedded stack of its own. Raises CroupierError where a measurement would mean nothing."""
    async with own_ground(say) as (environment, directory, guardian):
        bench = SignedBench(plan, say, environment, directory, guardian)
        await bench.run()
        return bench.signed


class SignedBench(Bench):
    """One such bench on servers that answer."""

    def __init__(
        self, plan: BenchPlan, say: Say, environment: dict[str, str], directory: Path, guardian: Guardian
    ) -> None:
        super().__init__(plan, say, environment, directory, guardian)
        self.signed = SignedReport(plan)
        keys = directory / "keys"
        make(keys, owner=PROVIDER, environment=self._settings.environment, now=datetime.now(UTC))
        ring = KeyRing(keys, environment=self._settings.environment)
        ring.load()
        self._signer = EventSigner(ring)
        verifying = {"CROUPIER_SIGNING": "required", "CROUPIER_KEYS_DIRECTORY": str(keys)}
        self._workers = {
            True: Worker("bench-signed", {**environment, **verifying}, directory, guardian),
            False: self._worker,
        }

    async def run(self) -> None:
        await self._set_up()
        for number in range(self._plan.pairs):
            await self._signed_pair(number)

    async def _signed_pair(self, number: int) -> None:
        """Two backlogs, all records signed; every other pair the worker that does not look goes first."""
        rates: dict[bool, float] = {}
        cpu: dict[bool, float] = {}
        for verifying in (True, False) if number % 2 else (False, True):
            self._worker = self._workers[verifying]
            rates[verifying] = await self._signed_drain()
            cpu[verifying] = self.report.product_cpu[-1]
        self.signed.per_second.append((rates[True], rates[False]))
        self.signed.cpu.append((cpu[True], cpu[False]))
        self._say(
            f"Pair {number + 1} of {self._plan.pairs}: verifying {rates[True]:,.0f} per second, "
            f"not looking {rates[False]:,.0f}: it costs {1 - rates[True] / rates[False]:.1%}."
        )

    async def _signed_drain(self) -> float:
        await produce(self._settings, self._traffic.play(self._plan.events), signer=self._signer)
        ends = await end_offsets(self._settings, self._settings.events_topic)
        return (await self._product_span(ends, measured=True)).per_second
