"""Random histories: the law against a second, naive wallet, and the properties that hold in every history."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings

from processor.domain.answers import Answer
from processor.domain.commands import Command
from tests.unit.domain.histories import History, command_of, histories
from tests.unit.domain.memory import START, MemoryLedger
from tests.unit.domain.model import EXPONENTS, NaiveWallet
from tests.unit.domain.test_cases import check_books

SOME = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def play(
    history: History, *, one_batch: bool = False, single: bool = False
) -> tuple[MemoryLedger, list[Command]]:
    """Send a history through the law, cut into batches as it says; at the end all waiting ends."""
    ledger = MemoryLedger(history.reference)
    commands = [command_of(event, offset) for offset, event in enumerate(history.events)]
    sizes = [len(commands)] if one_batch else [1] if single else history.batch_sizes
    at = turn = 0
    while at < len(commands):
        batch = commands[at : at + sizes[turn % len(sizes)]]
        ledger.now = max(command.broker_time for command in batch)
        ledger.run(batch)
        at, turn = at + len(batch), turn + 1
    while ledger.parked:
        ledger.pass_time(61)
        ledger.run([])
    return ledger, commands


def answers_of(ledger: MemoryLedger) -> list[Answer]:
    return [said for said in ledger.said if isinstance(said, Answer)]


@pytest.mark.model
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_the_law_and_a_naive_wallet_answer_alike(history: History) -> None:
    ledger, _ = play(history)
    wallet = NaiveWallet(history.flags)
    answers = answers_of(ledger)
    for place, answer in enumerate(answers):
        event = history.events[answer.command.offset]
        following = answers[place + 1] if place + 1 < len(answers) else None
        if answer.code == "ROLLED_BACK" and not answer.replayed and names(following, answer.command):
            wallet.tombstones.append((event["player_id"], event["provider"], event["transaction_id"]))
        decided_at = answer.outcome.decided_at if answer.outcome is not None else None
        expected = wallet.answer(event, answer.command.broker_time, decided_at or START)
        assert (answer.code.value, answer.replayed, answer.conflict) == (
            expected.code,
            expected.replayed,
            expected.conflict,
        ), answer.command
        told = None
        if answer.balance is not None:
            told = Fraction(answer.balance.cash_minor, 10 ** EXPONENTS[answer.balance.currency])
        assert told == expected.cash


def names(answer: Answer | None, command: Command) -> bool:
    """Whether this is the answer to a rollback that took the command out of its queue."""
    if answer is None or answer.command.type != "rollback" or answer.command.offset < command.offset:
        return False
    asked = answer.command
    return (asked.reference, asked.provider, asked.player_id) == (
        command.transaction_id,
        command.provider,
        command.player_id,
    )


@SOME
@given(histories())
def test_money_is_conserved_and_never_negative_and_every_event_has_one_answer(history: History) -> None:
    ledger, commands = play(history)
    check_books(ledger)
    offsets = sorted(answer.command.offset for answer in answers_of(ledger))
    assert offsets == list(range(len(commands)))


@SOME
@given(histories())
def test_what_is_refused_or_repeated_moves_nothing(history: History) -> None:
    ledger, _ = play(history)
    moving = {(answer.command.player_id, answer.sequence) for answer in answers_of(ledger) if moves(answer)}
    assert {(entry.player_id, entry.sequence) for entry in ledger.entries} <= moving
    by_sequence: dict[tuple[str, int], int] = defaultdict(int)
    for entry in ledger.entries:
        sign = -1 if entry.debit == "cash" else 1
        by_sequence[(entry.player_id, entry.sequence)] += sign * entry.amount_minor
    for answer in answers_of(ledger):
        moved = by_sequence.get((answer.command.player_id, answer.sequence), 0)
        assert moved == (answer.moved_minor if moves(answer) else 0)


def moves(answer: Answer) -> bool:
    return answer.code == "OK" and not answer.replayed


@SOME
@given(histories())
def test_a_burnt_id_is_decided_once_and_every_repeat_says_the_same(history: History) -> None:
    ledger, _ = play(history)
    first = {
        (answer.command.provider, answer.outcome.key): answer
        for answer in answers_of(ledger)
        if answer.outcome is not None and not answer.replayed
    }
    balances = {
        player_id: sorted(map(repr, player.accounts.values())) for player_id, player in ledger.players.items()
    }
    for answer in first.values():
        [again] = ledger.run([answer.command])
        assert isinstance(again, Answer)
        assert again.replayed
        assert (again.code, again.wallet_transaction_id) == (answer.code, answer.wallet_transaction_id)
    assert balances == {
        player_id: sorted(map(repr, player.accounts.values())) for player_id, player in ledger.players.items()
    }


@SOME
@given(histories(time_passes=False))
def test_where_batches_are_cut_changes_nothing(history: History) -> None:
    together, apart, as_cut = (
        [
            (said.command.offset, said.code, said.replayed, said.conflict, said.sequence, said.balance)
            for said in answers_of(play(history, **how)[0])
        ]
        for how in ({"one_batch": True}, {"single": True}, {})
    )
    assert together == apart == as_cut


@SOME
@given(histories())
def test_a_providers_events_of_a_player_are_decided_in_order_but_for_what_may_overtake(
    history: History,
) -> None:
    ledger, _ = play(history)
    decided: dict[tuple[str, str], list[Command]] = defaultdict(list)
    for answer in answers_of(ledger):
        decided[(answer.command.player_id, answer.command.provider)].append(answer.command)
    for commands in decided.values():
        awaited = {command.reference for command in commands if command.type in ("win", "rollback")}
        rounds = {command.round_id for command in commands if command.type == "win"}
        in_line = [
            command.offset
            for command in commands
            if command.type != "rollback"
            and command.transaction_id not in awaited
            and not (command.type == "bet" and command.round_id in rounds)
        ]
        assert in_line == sorted(in_line)


@SOME
@given(histories())
def test_nothing_waits_longer_than_its_provider_says(history: History) -> None:
    ledger = MemoryLedger(history.reference)
    for offset, event in enumerate(history.events):
        command = command_of(event, offset)
        ledger.now = max(ledger.now, command.broker_time)
        ledger.run([command])
        heads = {
            (row.player_id, row.provider): row for row in sorted(ledger.parked, key=lambda row: -row.position)
        }
        assert all(head.expires_at <= head.broker_time + timedelta(seconds=60) for head in heads.values())
