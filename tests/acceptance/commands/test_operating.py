"""What an operator types on a running installation: send, tail, balance, history, audit, lanes, reference data."""

from __future__ import annotations

import asyncio
import csv
import io
import json

import pytest

from tests.acceptance.commands.conftest import Installation

AT = "2026-11-22T10:00:00Z"


def open_player(player: str) -> dict[str, object]:
    return {
        "type": "open_player",
        "provider": "operator",
        "transaction_id": f"open-{player}",
        "player_id": player,
        "currency": "EUR",
        "occurred_at": AT,
    }


def deposit(player: str, amount: str, number: int = 1) -> dict[str, object]:
    return {
        "type": "deposit",
        "provider": "cashier",
        "transaction_id": f"deposit-{player}-{number}",
        "player_id": player,
        "currency": "EUR",
        "amount": amount,
        "occurred_at": AT,
    }


def play(type_: str, player: str, transaction_id: str, amount: str, **fields: object) -> dict[str, object]:
    return {
        "type": type_,
        "provider": "acme",
        "transaction_id": transaction_id,
        "player_id": player,
        "game_id": "book-of-tests",
        "round_id": f"round-{player}",
        "currency": "EUR",
        "amount": amount,
        "occurred_at": AT,
        **fields,
    }


PROVIDERS = '[providers.acme]\nwins_per_bet = "many"\nrequire_session = false\n'


@pytest.fixture(scope="module")
async def played(worked: Installation) -> Installation:
    """Player ``anna`` has played a little: a deposit, a bet, a refused bet, a repeat, a win."""
    providers = worked.file("providers.toml", PROVIDERS)
    assert (await worked.type("providers", "apply", providers, "--yes")).code == 0
    file = worked.events(
        "anna.jsonl",
        open_player("anna"),
        deposit("anna", "100.00"),
        play("bet", "anna", "bet-1", "2.50"),
        play("bet", "anna", "bet-2", "2000"),
        play("bet", "anna", "bet-1", "2.50"),
        play("win", "anna", "win-1", "7.50", reference="bet-1"),
    )
    sent = await worked.type("send", file, "--wait", "--json")
    assert sent.code == 0, sent.err
    codes = [(one["code"], one["replayed"]) for one in sent.json_lines()]
    assert codes == [
        ("OK", False),
        ("OK", False),
        ("OK", False),
        ("INSUFFICIENT_FUNDS", False),
        ("OK", True),
        ("OK", False),
    ]
    return worked


async def test_a_balance_is_told_by_pool_and_to_people_and_programs(played: Installation) -> None:
    told = (await played.type("balance", "anna", "--json")).json()
    assert told["balances"] == [
        {"currency": "EUR", "pool": "cash", "balance": "105.00", "balance_minor": "10500", "version": 3}
    ]
    assert "105.00" in (await played.type("balance", "anna")).out


async def test_a_bonus_is_shown_with_how_far_it_is_wagered(played: Installation) -> None:
    grant = {**deposit("bert", "5.00", 2), "type": "grant_bonus", "bonus_id": "welcome"}
    grant["wagering_requirement"] = "30.00"
    file = played.events(
        "bert.jsonl",
        open_player("bert"),
        deposit("bert", "1.00"),
        grant,
        play("bet", "bert", "bet-b", "2.50"),
    )
    assert (await played.type("send", file, "--wait")).code == 0
    told = (await played.type("balance", "bert", "--json")).json()
    assert [(one["pool"], one["balance"]) for one in told["balances"]] == [
        ("bonus", "3.50"),
        ("cash", "0.00"),
    ]
    assert told["bonuses"] == [
        {"bonus_id": "welcome", "currency": "EUR", "wagered": "2.50", "wagering_requirement": "30.00"}
    ]
    assert "30.00" in (await played.type("balance", "bert")).out


async def test_an_unknown_player_is_bad_news(played: Installation) -> None:
    for words in (("balance", "nobody"), ("history", "nobody")):
        answer = await played.type(*words)
        assert (answer.code, answer.out) == (1, "")
        assert "nobody is not known" in answer.err


async def test_a_history_has_legs_is_newest_first_and_comes_in_pages(played: Installation) -> None:
    first = (await played.type("history", "anna", "--json", "--limit", 2)).json()
    assert [one["transaction_id"] for one in first["transactions"]] == ["win-1", "bet-2"]
    assert first["transactions"][0]["legs"] == [
        {"leg": 0, "debit": "house:gaming", "credit": "cash", "amount": "7.50", "currency": "EUR"}
    ]
    rest = (await played.type("history", "anna", "--json", "--before", first["next_before"])).json()
    assert [one["transaction_id"] for one in rest["transactions"]] == ["bet-1", "deposit-anna-1", "open-anna"]
    assert rest["next_before"] is None


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("--type", "bet"), ["bet-2", "bet-1"]),
        (("--code", "INSUFFICIENT_FUNDS"), ["bet-2"]),
        (("--provider", "cashier"), ["deposit-anna-1"]),
        (("--round", "round-anna"), ["win-1", "bet-2", "bet-1"]),
        (("--until", "2020-01-01"), []),
        (("--since", "2020-01-01", "--type", "win"), ["win-1"]),
    ],
)
async def test_a_history_is_filtered(played: Installation, words: tuple[str, ...], found: list[str]) -> None:
    told = (await played.type("history", "anna", "--json", *words)).json()
    assert [one["transaction_id"] for one in told["transactions"]] == found


async def test_a_history_is_exported_as_csv(played: Installation) -> None:
    exported = await played.type("history", "anna", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(exported.out)))
    assert [(row["transaction_id"], row["amount"], row["debit"]) for row in rows[:3]] == [
        ("win-1", "7.50", "house:gaming"),
        ("bet-2", "", ""),
        ("bet-1", "-2.50", "cash"),
    ]


async def test_tail_shows_results_from_the_beginning(played: Installation) -> None:
    told = await played.type("tail", "--no-follow", "--player", "anna", "--json")
    assert [one["sequence"] for one in told.json_lines()] == [1, 2, 3, 4, 5, 6]
    lines = (await played.type("tail", "--no-follow", "--player", "anna")).out.splitlines()
    assert "bet acme/bet-1 OK -2.50 EUR, total 97.50" in lines[2]
    assert "OK repeat" in lines[4]


async def test_tail_follows_what_is_sent_after_it_began(played: Installation) -> None:
    tail = await played.program("tail", "--limit", "1", "--json", "--player", "bert")
    assert tail.stdout is not None
    line = asyncio.create_task(tail.stdout.readline())
    file = played.events("bert.jsonl", open_player("bert"))
    while not line.done():  # a result that came before the tail had its place is not seen: send again
        assert (await played.type("send", file, "--wait")).code == 0
        await asyncio.wait([line], timeout=0.5)
    assert json.loads(line.result())["player_id"] == "bert"
    assert await tail.wait() == 0


async def test_wrong_lines_are_named_and_nothing_is_sent(played: Installation) -> None:
    before = (await played.type("tail", "--no-follow", "--json")).out
    file = played.events("wrong.jsonl", deposit("anna", "5.00", 2), "{", deposit("anna", "5.001", 3))
    refused = await played.type("send", file)
    assert refused.code == 2
    assert "line 2: UNDECODABLE" in refused.err
    assert "line 3: INVALID_AMOUNT" in refused.err
    assert (await played.type("tail", "--no-follow", "--json")).out == before


async def test_events_are_read_from_standard_input(played: Installation) -> None:
    given = json.dumps(open_player("carl")) + "\n"
    sent = await played.type("send", "-", "--wait", "--json", given=given)
    assert [one["code"] for one in sent.json_lines()] == ["OK"]


async def test_the_books_and_the_topics_are_proved_clean(played: Installation) -> None:
    audited = await played.type("audit", "--full", "--results", "--json")
    assert audited.code == 0, audited.out
    proofs = {one["name"]: one for one in audited.json()["proofs"]}
    assert audited.json()["clean"] is True
    assert proofs["results.first_published"]["examined"] >= 5
    assert all(one["fault"] is None for one in proofs.values())


async def test_lanes_are_listed_with_their_owner_and_none_has_stopped(played: Installation) -> None:
    lanes = (await played.type("lanes", "list", "--json")).json()
    assert [one["lane"] for one in lanes] == [0, 1]
    assert all(one["owner"] and one["stopped_reason"] is None for one in lanes)
    assert (await played.type("lanes", "resume", 0, "--reason", "none")).code == 1
    assert (await played.type("lanes", "resume", 0)).code == 2


async def test_reference_data_is_shown_before_it_is_changed(played: Installation) -> None:
    file = played.file("new.toml", '[providers.bravo]\nstatus = "suspended"\n')
    dry = await played.type("providers", "apply", file, "--dry-run")
    assert dry.code == 0
    assert "+ bravo" in dry.out
    assert "bravo" not in (await played.type("providers", "list", "--json")).json()
    asked = await played.type("providers", "apply", file)
    assert asked.code == 1
    assert "--yes" in asked.err
    assert (await played.type("providers", "apply", file, "--yes")).code == 0
    again = await played.type("providers", "apply", file, "--yes")
    assert "Nothing changes" in again.out
    stored = (await played.type("providers", "list", "--json")).json()
    assert stored["bravo"]["status"] == "suspended"
    assert "acme" in stored


async def test_what_encodes_ids_cannot_change_after_the_first_event(played: Installation) -> None:
    file = played.file("scope.toml", PROVIDERS + 'id_scope = "player"\n')
    refused = await played.type("providers", "apply", file, "--yes")
    assert refused.code == 2
    assert "providers.acme.id_scope" in refused.err
    assert "cannot change" in refused.err


async def test_a_wrong_key_of_a_file_is_named(played: Installation) -> None:
    file = played.file("wrong.toml", '[providers.acme]\nwins_per_bets = "many"\n')
    refused = await played.type("providers", "apply", file, "--yes")
    assert refused.code == 2
    assert "providers.acme.wins_per_bets: there is no such key" in refused.err


async def test_games_and_currencies_are_applied_and_listed(played: Installation) -> None:
    games = played.file("games.toml", '[games.acme.book-of-tests]\nname = "Book of Tests"\n')
    assert (await played.type("games", "apply", games, "--yes")).code == 0
    assert (await played.type("games", "list", "--json")).json() == {
        "acme/book-of-tests": {"name": "Book of Tests", "status": "active"}
    }
    currencies = played.file("currencies.toml", "[currencies.GEMS]\nexponent = 4\n")
    assert (await played.type("currencies", "apply", currencies, "--yes")).code == 0
    changed = played.file("currencies.toml", "[currencies.GEMS]\nexponent = 2\n")
    assert (await played.type("currencies", "apply", changed, "--yes")).code == 2
