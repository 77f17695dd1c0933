"""Rates and what is converted by them, on a running installation: applied, told to workers, played, proved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from schemas.results import Result
from tests.acceptance.commands.conftest import Installation
from tests.acceptance.commands.test_operating import deposit, open_player, play

PROVIDERS = '[providers.acme]\nfx = true\nwins_per_bet = "many"\nrequire_session = false\n'


def rate(text: str, at: datetime, pair: tuple[str, str] = ("JPY", "EUR")) -> str:
    return f'[[rates]]\nfrom = "{pair[0]}"\nto = "{pair[1]}"\nrate = "{text}"\nat = {at.isoformat()}\nsource = "ecb"\n'


@pytest.fixture(scope="module")
async def rated(worked: Installation) -> Installation:
    """A provider that may convert, and a rate from yen to euros that is an hour old."""
    assert (await worked.type("providers", "apply", worked.file("p.toml", PROVIDERS), "--yes")).code == 0
    file = worked.file("rates.toml", rate("0.0061", datetime.now(UTC) - timedelta(hours=1)))
    shown = await worked.type("rates", "apply", file, "--dry-run", "--json")
    assert shown.code == 0, shown.err
    assert not shown.json()["applied"]
    applied = await worked.type("rates", "apply", file, "--yes", "--json")
    assert applied.code == 0, applied.err
    assert applied.json()["applied"]
    return worked


async def sent(installation: Installation, name: str, *events: object) -> list[Result]:
    """The results of these events, each held to the contract."""
    answer = await installation.type("send", installation.events(name, *events), "--wait", "--json")
    assert answer.code == 0, answer.err
    return [Result.model_validate(one) for one in answer.json_lines()]


async def test_a_bet_in_another_currency_is_converted_and_its_win_by_the_same_rate(
    rated: Installation,
) -> None:
    results = await sent(
        rated,
        "yen.jsonl",
        open_player("yuki"),
        deposit("yuki", "100.00"),
        play("bet", "yuki", "y-1", "1001", currency="JPY"),
        play("bet", "yuki", "y-2", "2.00"),
        play("win", "yuki", "y-3", "501", currency="JPY", reference="y-1"),
    )
    bet, euros, win = results[2:]
    assert (bet.code, bet.amount, bet.currency, bet.split) == ("OK", "-1001", "JPY", {"cash": "-6.10"})
    assert bet.fx is not None
    assert (bet.fx.from_, bet.fx.to, bet.fx.rate, bet.fx.source) == ("JPY", "EUR", "0.0061", "ecb")
    assert bet.fx.converted_amount == "-6.10"
    assert bet.balance is not None
    assert bet.balance.cash == "93.90"
    assert euros.fx is None
    assert (win.amount, win.split, win.fx.converted_amount if win.fx else None) == (
        "501",
        {"cash": "3.06"},
        "3.06",
    )
    again = await sent(rated, "again.jsonl", play("bet", "yuki", "y-1", "1001", currency="JPY"))
    assert (again[0].replayed, again[0].fx, again[0].split) == (True, bet.fx, bet.split)


async def test_what_has_no_rate_is_refused_with_the_reason(rated: Installation) -> None:
    [result] = await sent(rated, "franc.jsonl", play("bet", "yuki", "y-4", "10.00", currency="CHF"))
    assert (result.code, result.message) == ("WRONG_CURRENCY", "There is no rate from CHF to EUR.")


async def test_a_new_rate_is_told_to_workers_at_once(rated: Installation) -> None:
    before = (await rated.type("rates", "list", "--json")).json()["rates"]
    file = rated.file("newer.toml", rate("0.0070", datetime.now(UTC) - timedelta(minutes=1)))
    assert (await rated.type("rates", "apply", file, "--yes")).code == 0
    after = (await rated.type("rates", "list", "--json")).json()["rates"]
    assert [one["rate"] for one in after] == ["0.0070", "0.0061"]
    assert after[1:] == before
    split = None
    for number in range(100):  # a batch that was under way is decided by the rates before
        [result] = await sent(
            rated, "new.jsonl", play("bet", "yuki", f"n-{number}", "100", currency="JPY", round_id="new")
        )
        split = result.split
        if split == {"cash": "-0.70"}:
            break
    assert split == {"cash": "-0.70"}


async def test_the_books_are_proved_with_two_currencies_in_one_round_and_clearing_in_between(
    rated: Installation,
) -> None:
    audited = await rated.type("audit", "--full", "--results", "--json")
    assert (audited.code, audited.json()["clean"]) == (0, True), audited.out
    shown = (await rated.type("rounds", "show", "round-yuki", "--json")).json()
    assert "JPY" in str(shown)
    listed = await rated.type("history", "yuki", "--type", "bet", "--json")
    legs = [leg for one in listed.json()["transactions"] for leg in one["legs"]]
    assert {(leg["debit"], leg["credit"], leg["currency"]) for leg in legs} == {
        ("cash", "house:fx_clearing", "EUR"),
        ("house:fx_clearing", "house:gaming", "JPY"),
        ("cash", "house:gaming", "EUR"),
    }
