"""Replays that are interrupted, and two operators who replay at once: every letter is sent, and decided once."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from processor.devstack.stack import POSTGRES_MIGRATOR_DSN
from tests.acceptance.commands.conftest import Installation
from tests.acceptance.commands.test_operating import PROVIDERS, deposit, open_player, play
from tests.acceptance.commands.test_set_aside import LOOK_EVERY_SECONDS, letters

_LETTERS = 12
_SOME = 3


@pytest.fixture(scope="module")
async def mended(worked: Installation) -> Installation:
    """Players ``ivo`` and ``kim`` each have bets that became dead letters because of a currency that is known now."""
    assert (await worked.type("providers", "apply", worked.file("p.toml", PROVIDERS), "--yes")).code == 0
    bets = [
        {**play("bet", player, f"bet-{player}-{number}", "1.00"), "currency": "OPAL"}
        for player in ("ivo", "kim")
        for number in range(_LETTERS)
    ]
    people = [make(player) for player in ("ivo", "kim") for make in (open_player, _money)]
    sent = await worked.type("send", worked.events("bets.jsonl", *people, *bets), "--force-as-is", "--wait")
    assert sent.code == 1
    opals = worked.file("opals.toml", "[currencies.OPAL]\nexponent = 2\n")
    assert (await worked.type("currencies", "apply", opals, "--yes")).code == 0
    return worked


def _money(player: str) -> dict[str, object]:
    return deposit(player, "100.00")


async def test_a_replay_that_was_killed_is_gone_on_with_and_decides_nothing_twice(
    mended: Installation,
) -> None:
    choice = ("--player", "ivo", "--code", "UNKNOWN_CURRENCY")
    program = await mended.program(
        "dead-letters", "replay", *choice, "--yes", "--rate", 4, "--reason", "opals"
    )
    await _until_some_are_sent(mended, choice)
    program.kill()
    await program.wait()
    left = await letters(mended, *choice, "--status", "resent")
    assert _SOME <= len(left) < _LETTERS
    await _as_if_killed_before_it_was_noted(mended, left[0]["letter_id"])
    rest = await mended.type("dead-letters", "replay", *choice, "--yes", "--reason", "opals", "--json")
    assert rest.code == 0
    assert left[0]["letter_id"] in rest.json()["sent"]
    await _all_decided_once(mended, "ivo")


async def test_two_operators_who_replay_the_same_letters_at_once_share_them(mended: Installation) -> None:
    choice = ("--player", "kim", "--code", "UNKNOWN_CURRENCY", "--yes", "--json")
    both = await asyncio.gather(
        *(mended.run_program("dead-letters", "replay", *choice, "--as", name, "--reason", "opals")
          for name in ("eva", "tom"))
    )  # fmt: skip
    first, second = (set(one.json()["sent"]) for one in both)
    assert first & second == set()
    assert len(first | second) == _LETTERS
    await _all_decided_once(mended, "kim")


async def _until_some_are_sent(installation: Installation, choice: tuple[str, ...]) -> None:
    async with asyncio.timeout(60):
        while True:
            if len(await letters(installation, *choice, "--status", "resent")) >= _SOME:
                return
            await asyncio.sleep(LOOK_EVERY_SECONDS)


async def _as_if_killed_before_it_was_noted(installation: Installation, letter_id: str) -> None:
    """The letter was sent, and the replay that had taken it is long dead."""
    owner = await asyncpg.connect(
        installation.environment[POSTGRES_MIGRATOR_DSN], server_settings={"search_path": "croupier"}
    )
    changed = await owner.execute(
        "UPDATE dead_letters SET status = 'resending', status_changed_at = now() - interval '6 minutes'"
        " WHERE letter_id = $1",
        letter_id,
    )
    await owner.close()
    assert changed == "UPDATE 1"


async def _all_decided_once(installation: Installation, player: str) -> None:
    """Each bet of the player has its answer; a second one is a repeat of it."""
    answers: list[dict[str, Any]] = []
    async with asyncio.timeout(60):
        while len({one["transaction_id"] for one in answers}) < _LETTERS:
            told = await installation.type("tail", "--no-follow", "--player", player, "--json")
            answers = [one for one in told.json_lines() if one.get("type") == "bet"]
    decided = [one["transaction_id"] for one in answers if not one["replayed"]]
    assert len(decided) == len(set(decided)) == _LETTERS
    assert {one["code"] for one in answers} == {"WRONG_CURRENCY"}
    assert await letters(installation, "--player", player, "--status", "open") == []
