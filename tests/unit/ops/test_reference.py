"""Reference data files are checked key by key, and what cannot change is refused with its reason."""

from __future__ import annotations

import re
import tomllib
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest

from processor.domain.profiles import Jurisdiction, Profile
from processor.errors import WrongUsage
from processor.ops.reference import (
    KEPT_RATES,
    ProviderProfile,
    changes,
    currency_documents,
    game_documents,
    merged_rates,
    provider_documents,
    rate_documents,
    read_toml,
    refuse_exponent_changes,
    refuse_fixed_changes,
    wallet_documents,
)
from processor.postgres.reference import jurisdictions_of


def providers(text: str) -> dict[str, dict[str, object]]:
    return provider_documents(tomllib.loads(text))


def test_a_profile_is_complete_with_its_defaults() -> None:
    profile = providers('[providers.acme]\nwins_per_bet = "many"')["acme"]
    assert profile["wins_per_bet"] == "many"
    assert profile["id_scope"] == "provider"
    assert profile["missing_bet_wait_seconds"] == 60


def test_files_and_the_law_agree_on_fields_and_defaults() -> None:
    of_the_law = {field.name: field.default for field in fields(Profile) if field.default is not MISSING}
    of_the_file = ProviderProfile().model_dump()
    assert of_the_file.keys() == of_the_law.keys()
    for name, value in of_the_file.items():
        expected = of_the_law[name]
        assert (frozenset(value) if isinstance(value, list) else value) == expected, name


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[providers.acme]\nwins_per_bets = "many"', "providers.acme.wins_per_bets: there is no such key"),
        ('[providers.acme]\nwins_per_bet = "some"', "providers.acme.wins_per_bet: .*'one' or 'many'.*'some'"),
        ("[providers.acme]\nfx = 1", "providers.acme.fx: .*boolean"),
        ('[providers.acme]\nwin_without_bet = ["game", "luck"]', "providers.acme.win_without_bet.1: "),
        ('[providers.acme]\ncurrencies = ["eur"]', "providers.acme.currencies.0: "),
        ('[providers.acme]\ncurrencies = ["EUR", "EUR"]', "EUR is named twice"),
        ("[providers.acme]\nmissing_bet_wait_seconds = -1", "providers.acme.missing_bet_wait_seconds: "),
        ("[providers.ACME]", "providers.ACME: "),
        ("[providers.cashier]", "the operator's own"),
        ("[provider.acme]", "provider: there is no such key"),
    ],
)
def test_a_wrong_key_or_value_is_named(text: str, sentence: str) -> None:
    with pytest.raises(WrongUsage, match=sentence):
        providers(text)


def test_all_faults_of_a_file_are_told_at_once() -> None:
    with pytest.raises(WrongUsage) as caught:
        providers('[providers.acme]\nfx = 1\n[providers.other]\nstatus = "gone"')
    assert "providers.acme.fx" in str(caught.value)
    assert "providers.other.status" in str(caught.value)


def test_any_win_may_be_written_without_brackets() -> None:
    assert providers('[providers.acme]\nwin_without_bet = "any"')["acme"]["win_without_bet"] == ["any"]


def test_games_are_named_by_provider_and_id() -> None:
    documents = game_documents(tomllib.loads('[games.acme."book of tests"]\nname = "Book"'))
    assert documents == {"acme/book of tests": {"name": "Book", "status": "active"}}


def test_a_currency_of_the_installation_has_an_exponent() -> None:
    assert currency_documents(tomllib.loads("[currencies.DOGE]\nexponent = 8")) == {"DOGE": {"exponent": 8}}


def test_a_built_in_currency_keeps_its_exponent() -> None:
    with pytest.raises(WrongUsage, match=r"currencies\.EUR\.exponent: it is 2"):
        currency_documents(tomllib.loads("[currencies.EUR]\nexponent = 3"))


def test_changes_are_what_differs_by_name() -> None:
    before = {"kept": {"a": 1}, "gone": {"a": 1}, "moved": {"a": 1}}
    after = {"kept": {"a": 1}, "moved": {"a": 2}, "new": {"a": 3}}
    found = {change.name: (change.before, change.after) for change in changes(before, after)}
    assert found == {"gone": ({"a": 1}, None), "moved": ({"a": 1}, {"a": 2}), "new": (None, {"a": 3})}


@pytest.mark.parametrize("field", ["id_scope", "id_includes_type"])
def test_what_encodes_ids_is_fixed_by_the_first_event(field: str) -> None:
    before = providers("[providers.acme]")
    changed = {"id_scope": "player", "id_includes_type": True}[field]
    found = changes(before, {"acme": {**before["acme"], field: changed}})
    refuse_fixed_changes(found, has_events=lambda _: False)
    with pytest.raises(WrongUsage, match=f"providers.acme.{field}.*cannot change"):
        refuse_fixed_changes(found, has_events=lambda _: True)


def test_other_fields_change_at_any_time() -> None:
    before = providers("[providers.acme]")
    found = changes(before, providers('[providers.acme]\nstatus = "suspended"'))
    refuse_fixed_changes(found, has_events=lambda _: True)


def test_a_configured_exponent_cannot_change() -> None:
    refuse_exponent_changes(changes({}, {"DOGE": {"exponent": 8}}))
    with pytest.raises(WrongUsage, match="DOGE"):
        refuse_exponent_changes(changes({"DOGE": {"exponent": 8}}, {"DOGE": {"exponent": 4}}))


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[providers", b'a = "\xc3"'])
def test_a_file_that_is_no_toml_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "providers.toml"
    file.write_bytes(content)
    with pytest.raises(WrongUsage, match=r"providers\.toml is not"):
        read_toml(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="cannot be read"):
        read_toml(tmp_path / "none.toml")


def test_a_policy_is_complete_with_its_defaults() -> None:
    documents = wallet_documents({"wallet": {"jurisdictions": {"DE": {"limit_raise_hours": 200}}}})
    policy = documents["policy"]
    assert (policy["pool_order"], policy["limit_raise_hours"]) == (["cash", "bonus"], 24)
    jurisdictions, elsewhere = jurisdictions_of(policy)
    assert jurisdictions["DE"].limit_raise_hours == 200
    assert elsewhere == Jurisdiction()


def test_a_jurisdiction_that_says_nothing_keeps_what_is_built_in() -> None:
    jurisdictions, elsewhere = jurisdictions_of(
        {"limit_raise_hours": 48, "jurisdictions": {"MT": {}, "DE": {}}}
    )
    assert elsewhere.limit_raise_hours == 48
    assert jurisdictions["MT"].limit_raise_hours == 48
    assert jurisdictions["DE"].limit_raise_hours == 168


@pytest.mark.parametrize(
    ("policy", "sentence"),
    [
        ({"pool_order": ["cash", "cash"]}, "wallet.pool_order: a pool is named twice."),
        ({"pool_order": []}, "wallet.pool_order"),
        ({"limit_raise_hours": -1}, "wallet.limit_raise_hours"),
        ({"jurisdictions": {"DE": {"raise": 1}}}, "wallet.jurisdictions.DE.raise: there is no such key."),
    ],
)
def test_a_wrong_policy_is_refused(policy: dict[str, Any], sentence: str) -> None:
    with pytest.raises(WrongUsage, match=re.escape(sentence)):
        wallet_documents({"wallet": policy})


RATE = '[[rates]]\nfrom = "USD"\nto = "EUR"\nrate = "0.92"\nat = 2026-11-26T12:00:00+02:00\nsource = "ecb"\n'


def test_a_rate_has_its_pair_and_its_time_in_its_name() -> None:
    assert rate_documents(tomllib.loads(RATE)) == {
        "USD/EUR 2026-11-26T10:00:00+00:00": {"rate": "0.92", "source": "ecb"}
    }


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ('"0.92"', "0.92", "rates.0.rate: .*string"),
        ('"0.92"', '"0"', "rates.0.rate"),
        ('"0.92"', '"0.000"', "rates.0.rate"),
        ('"0.92"', '"-1"', "rates.0.rate"),
        ('"0.92"', '"1e3"', "rates.0.rate"),
        ('"EUR"', '"USD"', "USD is not converted into itself"),
        ('"EUR"', '"euro"', "rates.0.to"),
        ("+02:00", "", "rates.0.at: .*timezone"),
        ('"ecb"', '""', "rates.0.source"),
        (
            "source",
            "sauce",
            "rates.0.source: it is required and missing. rates.0.sauce: there is no such key",
        ),
    ],
)
def test_a_rate_that_is_none_is_named(before: str, after: str, complaint: str) -> None:
    with pytest.raises(WrongUsage, match=complaint):
        rate_documents(tomllib.loads(RATE.replace(before, after)))


def test_a_rate_named_twice_is_refused() -> None:
    with pytest.raises(WrongUsage, match=r"rates\.1: the rate USD/EUR .* is named twice"):
        rate_documents(
            tomllib.loads(RATE + RATE.replace("0.92", "0.93").replace("12:00:00+02", "10:00:00+00"))
        )


def test_of_each_pair_the_newest_rates_are_kept_and_those_to_come() -> None:
    def rate(pair: str, at: str) -> dict[str, dict[str, str]]:
        return {f"{pair} {at}": {"rate": "1", "source": "s"}}

    before = {
        name: one
        for day in range(1, 29)
        for name, one in rate("USD/EUR", f"2020-02-{day:02}T00:00:00+00:00").items()
    }
    before |= rate("GBP/EUR", "2019-01-01T00:00:00+00:00") | rate("USD/EUR", "2999-01-01T00:00:00+00:00")
    kept = merged_rates(before, rate("USD/EUR", "2020-03-01T00:00:00+00:00"))
    usd = sorted(name for name in kept if name.startswith("USD"))
    assert len(usd) == KEPT_RATES + 1
    assert usd[0] == "USD/EUR 2020-02-06T00:00:00+00:00"
    assert usd[-1].startswith("USD/EUR 2999")
    assert "GBP/EUR 2019-01-01T00:00:00+00:00" in kept
