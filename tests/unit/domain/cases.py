"""Plays the acceptance cases of `tests/cases` against the law alone, through a sitting over a ledger in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from processor.domain.answers import Answer, Refusal
from processor.domain.commands import Command
from processor.domain.fingerprint import NAMES_ITS_BET
from processor.domain.money import AmountError, format_minor, parse_minor
from processor.domain.precedence import DECIDED_TYPES
from processor.domain.profiles import Profile, Reference
from processor.lane.decode import OWN_FIELDS
from schemas.events import is_permitted
from tests.unit.domain.memory import MemoryLedger

CASES = Path(__file__).parents[2] / "cases"
EXPONENTS = {"EUR": 2, "USD": 2, "JPY": 0, "BTC": 8}
EVENT_TYPES = DECIDED_TYPES | {
    "bet_win", "batch", "refund", "reverse_win", "adjust", "transfer_in", "transfer_out", "grant_bonus",
    "expire_bonus", "release_bonus", "block_player", "unblock_player", "self_exclude", "cool_off", "set_limit",
    "confirm_limit",
}  # fmt: skip
WITH_SESSION = {"bet", "win", "open_session", "close_session"}
WITH_ROUND = {"bet", "win", "close_round"}
NAMES_NO_CURRENCY = {*NAMES_ITS_BET, "block_player", "unblock_player", "self_exclude", "cool_off"}


def all_cases() -> Iterator[dict[str, Any]]:
    """Every case of the files, in order."""
    for path in sorted(CASES.glob("*.yaml")):
        yield from yaml.safe_load(path.read_text())


def events_of(case: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The single events of a case, also of those sent together."""
    for step in case["steps"]:
        together = step.get("together")
        if together is None:
            yield step
        elif isinstance(together, list):
            yield from together
        else:
            yield together["step"]


def type_of(step: Mapping[str, Any]) -> str:
    """The event type that a step names."""
    return next(name for name in step if name in EVENT_TYPES)


def is_decided(case: Mapping[str, Any]) -> bool:
    """Whether the case uses only types and money that the law decides by now."""
    given = case["given"]
    players = [given] if "cash" in given else given.values()
    has_bonus = any("bonus" in player for player in players)
    return not has_bonus and all(type_of(step) in DECIDED_TYPES for step in events_of(case))


@dataclass
class CasePlayer:
    """Plays one case; every event is a batch of its own, those sent together are one batch."""

    case: Mapping[str, Any]
    currencies: dict[str, str] = field(default_factory=dict)
    offset: int = 0

    def __post_init__(self) -> None:
        flags: dict[str, Any] = {
            name: frozenset([flag] if isinstance(flag, str) else flag) if name == "win_without_bet" else flag
            for name, flag in self.case["profile"].items()
        }
        providers = {name: Profile(name, **flags) for name in ("acme", "other")}
        self.ledger = MemoryLedger(Reference(1, providers, {}, EXPONENTS))
        given = self.case["given"]
        for player_id, wallet in ({"p": given} if "cash" in given else given).items():
            self._open(player_id, wallet)

    def play(self) -> None:
        for step in self.case["steps"]:
            together = step.get("together")
            if together is None:
                self._step(step)
            elif isinstance(together, list):
                self._together(together, step)
            else:
                self._together([together["step"]] * together["repeat"], together)
        assert self.ledger.parked == []

    def _open(self, player_id: str, wallet: Mapping[str, Any]) -> None:
        currency = self.currencies[player_id] = wallet.get("currency", "EUR")
        shared = {"player_id": player_id, "currency": currency}
        operators = {"provider": "operator", **shared}
        steps = [{"open_player": f"o-{player_id}", **operators}]
        if wallet.get("session") != "none":
            steps.append({"open_session": f"s-{player_id}", **operators})
        steps.append({"deposit": f"d-{player_id}", "provider": "cashier", "amount": wallet["cash"], **shared})
        if wallet.get("blocked"):
            steps.append({"block_player": f"k-{player_id}", **operators})
        for command in map(self._command, steps):
            assert isinstance(command, Command)
            [answer] = self.ledger.run([command])
            assert isinstance(answer, Answer)
            assert answer.code == "OK"

    def _step(self, step: Mapping[str, Any]) -> None:
        expect = step["expect"]
        command = self._command(step)
        if isinstance(command, str):
            assert command == expect["dead_letter"]
            return
        assert "dead_letter" not in expect, f"{expect['dead_letter']} was not noticed"
        answers = self.ledger.run([command])
        while not answers:
            self.ledger.pass_time(61)
            answers = self.ledger.run([])
        [answer] = answers
        self._compare(expect, answer, answer)

    def _together(self, steps: list[Mapping[str, Any]], whole: Mapping[str, Any]) -> None:
        commands = [command for command in map(self._command, steps) if isinstance(command, Command)]
        answers = self.ledger.run(commands)
        assert len(answers) == len(commands)
        by_offset = {answer.command.offset: answer for answer in answers}
        for step, command in zip(steps, commands, strict=True):
            self._compare(step.get("expect", {}), by_offset[command.offset], answers[-1])
        self._compare(whole.get("expect", {}), answers[-1], answers[-1])
        if "replayed_count" in whole.get("expect", {}):
            replayed = sum(isinstance(answer, Answer) and answer.replayed for answer in answers)
            assert replayed == whole["expect"]["replayed_count"]

    def _compare(self, expect: Mapping[str, Any], answer: Answer | Refusal, last: Answer | Refusal) -> None:
        assert isinstance(answer, Answer)
        assert isinstance(last, Answer)
        if "code" in expect:
            assert answer.code == expect["code"]
        if "replayed" in expect:
            assert answer.replayed is expect["replayed"]
        if "conflict" in expect:
            assert answer.conflict == expect["conflict"]
        assert answer.balance is not None
        exponent = EXPONENTS[answer.balance.currency]
        for pool in ("cash", "bonus"):
            if pool in expect:
                assert format_minor(getattr(answer.balance, f"{pool}_minor"), exponent) == expect[pool]

    def _command(self, step: Mapping[str, Any]) -> Command | str:
        """The step as a command, or the reason of its dead letter where it is not readable."""
        type_ = type_of(step)
        player_id = step.get("player_id", "p")
        if not is_permitted(step.get("provider", "acme"), type_):
            return "NOT_PERMITTED"
        currency = step.get("currency", None if type_ in NAMES_NO_CURRENCY else self.currencies[player_id])
        if currency is not None and currency not in EXPONENTS:
            return "UNKNOWN_CURRENCY"
        amount_minor = None
        if (amount := step.get("amount")) is not None:
            if not isinstance(amount, str) or amount.startswith("-"):
                return "INVALID_AMOUNT"
            try:
                amount_minor = None if currency is None else parse_minor(amount, EXPONENTS[currency])
            except AmountError:
                return "INVALID_AMOUNT"
        self.offset += 1
        kinds = {"bet": "stake", "win": "game"}
        return Command(
            type_,
            step.get("provider", "acme"),
            step[type_],
            player_id,
            partition=0,
            offset=self.offset,
            broker_time=self.ledger.now,
            currency=currency,
            amount_minor=amount_minor,
            amount_text=amount,
            game_id=step.get("game_id", "g") if type_ in WITH_ROUND else None,
            round_id=step.get("round_id", "r") if type_ in WITH_ROUND else None,
            session_id=step.get("session_id", "s") if type_ in WITH_SESSION else None,
            reference=step.get("reference"),
            kind=step.get("kind", kinds.get(type_)),
            round_closed=step.get("round_closed", False),
            own=tuple(own_fields(type_, step)),
        )


def own_fields(type_: str, step: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The type's own fields, as the door gives them."""
    for name in OWN_FIELDS.get(type_, ()):
        if name in step:
            yield name, str(step[name])
