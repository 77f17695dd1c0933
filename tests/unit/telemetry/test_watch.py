"""What the watchers make of what lanes tell: probes, the gauge of readiness, and lines for people."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import pytest
import structlog

from processor.errors import LedgerUnavailable
from processor.lane.keeper import WHOLE_TOPIC
from processor.ports import KeyFacts
from processor.settings import Settings
from processor.telemetry.logging import configure_logging
from processor.telemetry.watch import Watch
from tests.unit.lane.world import Listening, World, bet, deposit, eventually, open_player

AWAY = LedgerUnavailable("Postgres does not answer.")


class Seen:
    """A watch with one lane at work, and the lines it wrote."""

    def __init__(self) -> None:
        self._stream = io.StringIO()
        settings = Settings(log_format="json", log_level="info")
        configure_logging(settings, stream=self._stream)
        self.watch = Watch(settings)
        self.watch.rebalanced(1)
        self.watch.turned(0)
        self.watch.ready(0, True)

    def lines(self, action: str) -> list[dict[str, Any]]:
        told = [orjson.loads(line) for line in self._stream.getvalue().splitlines()]
        return [line for line in told if line["action"] == action]

    def reasons(self) -> object:
        verdict = self.watch.health.readiness()
        assert verdict.good is not bool(verdict.body["reasons"])
        return verdict.body["reasons"]

    def gauge(self) -> float:
        (line,) = [
            one for one in self.watch.metrics.render()[1].decode().splitlines() if one.startswith(GAUGE)
        ]
        return float(line.split()[-1])


GAUGE = 'croupier_lane_ready{lane="0"}'


@pytest.fixture
def seen() -> Iterator[Seen]:
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    yield Seen()
    logging.getLogger().handlers = handlers
    logging.getLogger().setLevel(level)
    structlog.reset_defaults()


def test_a_batch_that_is_retried_makes_the_worker_unready_and_leaves_it_alive(seen: Seen) -> None:
    assert (seen.reasons(), seen.gauge()) == ({}, 1)
    for attempt in (1, 2, 3):
        seen.watch.retrying(0, AWAY, attempt)
        assert (seen.reasons(), seen.gauge()) == ({"lane 0": "tries again: Postgres does not answer."}, 0)
        assert seen.watch.health.live().good
    assert seen.lines("lane.goes_on") == []


@pytest.mark.parametrize("sign", ["applied", "turned"])
def test_it_is_ready_again_once_a_batch_is_applied_or_the_loop_goes_round(seen: Seen, sign: str) -> None:
    seen.watch.retrying(0, AWAY, 1)
    if sign == "applied":
        seen.watch.applied(0, 7, 1, {"OK": 1}, {})
    else:
        seen.watch.turned(0)
    assert (seen.reasons(), seen.gauge()) == ({}, 1)
    seen.watch.turned(0)
    assert len(seen.lines("lane.goes_on")) == 1


def test_a_recovery_that_is_retried_says_both_and_is_ready_when_it_is_done(seen: Seen) -> None:
    seen.watch.ready(0, False, "recovering")
    seen.watch.retrying(0, AWAY, 1)
    assert seen.reasons() == {"lane 0": "recovering; tries again: Postgres does not answer."}
    seen.watch.recovered(0, 2, 0, "nothing was pending")
    assert (seen.reasons(), seen.gauge()) == ({"lane 0": "recovering"}, 0)
    seen.watch.ready(0, True)
    assert (seen.reasons(), seen.gauge()) == ({}, 1)
    assert seen.lines("lane.goes_on") == []


def test_other_lanes_that_apply_do_not_make_a_retrying_one_ready(seen: Seen) -> None:
    seen.watch.ready(1, True)
    seen.watch.retrying(0, AWAY, 1)
    seen.watch.applied(1, 7, 1, {"OK": 1}, {})
    assert seen.reasons() == {"lane 0": "tries again: Postgres does not answer."}


def test_what_the_worker_itself_retries_leaves_its_lanes_ready(seen: Seen) -> None:
    seen.watch.retrying(WHOLE_TOPIC, AWAY, 1)
    assert seen.reasons() == {}
    assert seen.watch.health.live().good


def test_a_stopped_lane_is_told_with_the_command_that_resumes_it(seen: Seen) -> None:
    seen.watch.stopped(3, "the receipt is ahead of the ledger.")
    (line,) = seen.lines("lane.stopped")
    assert line["message"] == (
        "Lane 3 stopped: the receipt is ahead of the ledger. "
        "Once it is clear why, run: croupier lanes resume 3 --reason …"
    )


def test_a_topic_that_was_replaced_is_no_lane_to_resume(seen: Seen) -> None:
    seen.watch.stopped(WHOLE_TOPIC, "the topic was made again. See `croupier lanes list`.")
    (line,) = seen.lines("lane.stopped")
    assert line["message"] == "The worker stopped: the topic was made again. See `croupier lanes list`."


class Probed(Listening):
    """Passes what a lane tells on to a watch, and looks at its readiness at every retry."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch
        self.seen: list[bool] = []

    def turned(self, lane: int) -> None:
        self._watch.turned(lane)

    def ready(self, lane: int, is_ready: bool, why: str = "") -> None:
        self._watch.ready(lane, is_ready, why)

    def applied(
        self, lane: int, seq: int, events: int, codes: Mapping[str, int], reasons: Mapping[str, int]
    ) -> None:
        self._watch.applied(lane, seq, events, codes, reasons)

    def retrying(self, lane: int, error: BaseException, attempt: int) -> None:
        self._watch.retrying(lane, error, attempt)
        self.seen.append(self._watch.health.readiness().good)


@pytest.mark.parametrize("fault", ["ledger", "fetch"])
async def test_a_lane_at_work_is_unready_while_a_server_is_away_and_ready_afterwards(
    seen: Seen, fault: str
) -> None:
    world, probed = World(), Probed(seen.watch)
    world.observer = probed
    world.send(0, open_player("p-1"), deposit("p-1", "d-1", "5.00"))
    async with world.one_lane():
        await eventually(lambda: len(world.answered()) == 2 and seen.reasons() == {})
        for _ in range(3):
            world.store.fail_next("write", AWAY) if fault == "ledger" else world.cluster.fail_next("fetch")
        if fault == "ledger":
            world.send(0, bet("p-1", "b-1"))
        await eventually(lambda: len(probed.seen) == 3 and seen.reasons() == {})
    assert probed.seen == [False] * 3
    assert len(seen.lines("lane.goes_on")) == 1


def test_which_keys_are_known_is_a_line_whenever_it_changes(seen: Seen) -> None:
    for key_ids in (["a"], ["a"], ["a", "b"], ["b"]):
        seen.watch.keys([KeyFacts(key_id, "acme", 1.0, 0, 0) for key_id in key_ids])
    assert [line["key_ids"] for line in seen.lines("keys.read")] == [["a"], ["a", "b"], ["b"]]
    seen.watch.keys_trouble("acme-1.toml is not TOML in UTF-8.")
    assert [line["message"] for line in seen.lines("keys.trouble")] == ["acme-1.toml is not TOML in UTF-8."]
