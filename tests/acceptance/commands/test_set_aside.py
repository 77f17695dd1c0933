"""Dead letters and parked events from an operator's side: look, foresee, send again, discard, who did what."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from tests.acceptance.commands.conftest import Installation
from tests.acceptance.commands.test_operating import PROVIDERS, deposit, open_player, play

LOOK_EVERY_SECONDS = 0.1


@pytest.fixture(scope="module")
async def troubled(worked: Installation) -> Installation:
    """Player ``dora`` with money, four dead letters; player ``fay`` with a win that waits for its bet."""
    providers = worked.file("providers.toml", PROVIDERS + "missing_bet_wait_seconds = 3600\n")
    assert (await worked.type("providers", "apply", providers, "--yes")).code == 0
    good = worked.events("good.jsonl", open_player("dora"), deposit("dora", "10.00"), open_player("fay"))
    assert (await worked.type("send", good, "--wait")).code == 0
    bad = worked.events(
        "bad.jsonl",
        "not json \\u001b[2J",
        {**play("bet", "dora", "gems-1", "1.5"), "currency": "GEMS"},
        {**play("bet", "dora", "gems-2", "9999"), "currency": "GEMS"},
        {**play("bet", "dora", "typo-1", "1.5"), "amount": 1.5},
    )
    refused = await worked.type("send", bad, "--force-as-is", "--wait", "--json")
    assert refused.code == 1
    reasons = [one["headers"]["wallet-dlq-reason"] for one in refused.json_lines()]
    assert reasons == ["UNDECODABLE", "UNKNOWN_CURRENCY", "UNKNOWN_CURRENCY", "INVALID_AMOUNT"]
    waits = worked.events("waits.jsonl", play("win", "fay", "early-win", "3.00", reference="late-bet"))
    assert (await worked.type("send", waits)).code == 0
    await until_parked(worked, 1)
    return worked


async def until_parked(installation: Installation, events: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(60):
        while True:
            found: list[dict[str, Any]] = (await installation.type("parked", "list", "--json")).json()[
                "events"
            ]
            if len(found) == events:
                return found
            await asyncio.sleep(LOOK_EVERY_SECONDS)


async def until_open(installation: Installation, code: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            found = await letters(installation, "--code", code, "--status", "open")
            if found:
                return found[0]
            await asyncio.sleep(LOOK_EVERY_SECONDS)


async def letters(installation: Installation, *words: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await installation.type("dead-letters", "list", "--json", *words)).json()[
        "letters"
    ]
    return found


async def letter_id(installation: Installation, *words: object) -> str:
    return str((await letters(installation, *words))[0]["letter_id"])


async def test_letters_are_listed_newest_first_with_counts_and_in_pages(troubled: Installation) -> None:
    whole = (await troubled.type("dead-letters", "list", "--json")).json()
    assert {"status": "open", "reason": "UNKNOWN_CURRENCY", "letters": 2} in whole["counts"]
    ids = [one["letter_id"] for one in whole["letters"]]
    first = (await troubled.type("dead-letters", "list", "--json", "--limit", 3)).json()
    rest = (await troubled.type("dead-letters", "list", "--json", "--after", first["next_after"])).json()
    assert [one["letter_id"] for one in first["letters"] + rest["letters"]] == ids
    assert "UNKNOWN_CURRENCY" in (await troubled.type("dead-letters", "list")).out


async def test_letters_are_filtered(troubled: Installation) -> None:
    assert len(await letters(troubled, "--code", "invalid_amount")) == 1
    assert len(await letters(troubled, "--player", "dora")) == 3
    assert len(await letters(troubled, "--provider", "acme", "--code", "UNKNOWN_CURRENCY")) == 2
    assert await letters(troubled, "--until", "2020-01-01") == []
    assert await letters(troubled, "--status", "discarded") == []
    one = (await letters(troubled, "--code", "INVALID_AMOUNT"))[0]
    place = f"{one['event_partition']}@{one['event_offset']}"
    assert [found["letter_id"] for found in await letters(troubled, "--places", place)] == [one["letter_id"]]
    assert (await troubled.type("dead-letters", "list", "--code", "SILLY")).code == 2
    assert (await troubled.type("dead-letters", "list", "--places", "x")).code == 2


async def test_a_letter_is_shown_with_its_bytes_and_what_a_replay_would_do(troubled: Installation) -> None:
    identity = await letter_id(troubled, "--code", "UNDECODABLE")
    told = (await troubled.type("dead-letters", "show", identity, "--json")).json()
    assert base64.b64decode(told["value"]["base64"]) == b"not json \\u001b[2J"
    assert told["replay_now"]["fate"] == "refused again"
    people = await troubled.type("dead-letters", "show", identity)
    assert "It is not JSON" in people.out
    as_hex = await troubled.type("dead-letters", "show", identity, "--as", "hex")
    assert "000000  6e 6f 74 20" in as_hex.out
    assert (await troubled.type("dead-letters", "show", "9-9-9")).code == 1


async def test_a_whole_life_foreseen_sent_again_decided_and_kept_on_record(troubled: Installation) -> None:
    choice = ("--code", "UNKNOWN_CURRENCY", "--json")
    before = (await troubled.type("dead-letters", "replay", *choice)).json()
    assert (before["dry_run"], before["refused again"]) == (True, 2)
    gems = troubled.file("gems.toml", "[currencies.GEMS]\nexponent = 2\n")
    assert (await troubled.type("currencies", "apply", gems, "--yes")).code == 0
    now = (await troubled.type("dead-letters", "replay", *choice)).json()
    assert (now["refused again"], now["rejected"]) == (0, 2)
    assert len(await letters(troubled, "--status", "open", "--code", "UNKNOWN_CURRENCY")) == 2
    sent = await troubled.type(
        "dead-letters", "replay", *choice, "--yes", "--reason", "gems are known", "--as", "eva"
    )
    assert (sent.code, len(sent.json()["sent"])) == (0, 2)
    for identity in sent.json()["sent"]:
        told = (await troubled.type("dead-letters", "show", identity, "--json")).json()
        assert told["status"] == "resent"
        acts = [(one["actor"], one["action"], one["why"]) for one in told["actions"]]
        assert acts == [
            ("eva", "dead-letters.replay", "gems are known"),
            ("eva", "dead-letters.resent", "gems are known"),
        ]
    again = await troubled.type("dead-letters", "replay", sent.json()["sent"][0], "--json")
    assert (again.code, again.json()["taken_by_another"]) == (1, [sent.json()["sent"][0]])


async def test_a_letter_that_always_comes_back_is_left_alone_in_the_end(troubled: Installation) -> None:
    for _ in range(2):
        identity = await letter_id(troubled, "--code", "INVALID_AMOUNT", "--status", "open")
        sent = await troubled.type("dead-letters", "replay", identity, "--max-replays", 2)
        assert sent.code == 0
        last = await until_open(troubled, "INVALID_AMOUNT")
    assert last["replay_count"] == 2
    refused = await troubled.type("dead-letters", "replay", last["letter_id"], "--max-replays", 2, "--json")
    assert (refused.code, refused.json()["in_a_loop"]) == (1, [last["letter_id"]])
    told = (await troubled.type("dead-letters", "show", last["replay_of"], "--json")).json()
    assert [one["letter_id"] for one in told["became"]] == [last["letter_id"]]


async def test_discarding_needs_a_reason_and_keeps_the_row(troubled: Installation) -> None:
    identity = await letter_id(troubled, "--code", "UNDECODABLE")
    assert (await troubled.type("dead-letters", "discard", identity)).code == 2
    assert (
        await troubled.type("dead-letters", "discard", "--code", "UNDECODABLE", "--reason", "x")
    ).code == 1
    done = await troubled.type("dead-letters", "discard", identity, "--reason", "a test's junk", "--json")
    assert done.json() == {"discarded": [identity], "not_open": []}
    told = (await troubled.type("dead-letters", "show", identity, "--json")).json()
    assert (told["status"], told["actions"][0]["why"]) == ("discarded", "a test's junk")
    assert (await troubled.type("dead-letters", "discard", identity, "--reason", "again")).code == 1


async def test_one_letter_or_many_but_not_both(troubled: Installation) -> None:
    for words in ((), ("9-9-9", "--all"), ("9-9-9", "--player", "dora")):
        assert (await troubled.type("dead-letters", "replay", *words)).code == 2


async def test_a_parked_event_is_shown_retried_and_discarded_by_its_lane(troubled: Installation) -> None:
    (event,) = await until_parked(troubled, 1)
    assert (event["reason"], event["awaits"]) == ("missing_bet", "late-bet")
    number = event["number"]
    told = (await troubled.type("parked", "show", number, "--json")).json()
    assert '"early-win"' in told["value"]["text"]
    retried = (await troubled.type("parked", "retry", number, "--json", "--wait-seconds", 60)).json()
    assert retried["done"] is True
    assert (await troubled.type("parked", "discard", number)).code == 2
    words = ("parked", "discard", number, "--reason", "it never came", "--json", "--wait-seconds", 60)
    assert (await troubled.type(*words)).json()["what_came"] == "discarded"
    await until_parked(troubled, 0)
    assert (await troubled.type("parked", "show", number)).code == 1
    history = (await troubled.type("history", "fay", "--json", "--type", "win")).json()["transactions"]
    assert history == []  # it burns no id: the same win may yet come with its bet
    answers = await troubled.type("tail", "--no-follow", "--player", "fay", "--json")
    assert answers.json_lines()[-1]["code"] == "BET_NOT_FOUND"


async def test_after_all_that_the_books_are_clean(troubled: Installation) -> None:
    assert (await troubled.type("audit", "--full", "--results")).code == 0
