"""Provider profiles: every flag that the decided types read, from both sides, and the default with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from processor.domain.profiles import Game, Profile, stored_key
from tests.unit.domain.play import Play

ACME = Profile("acme")


@pytest.mark.parametrize(("id_scope", "code"), [("provider", "CONFLICT"), ("player", "OK")])
def test_an_id_is_one_transaction_per_provider_or_per_player(id_scope: str, code: str) -> None:
    play = Play(replace(ACME, id_scope=id_scope))  # type: ignore[arg-type]  # the table holds both values
    play.join("q", "10.00")
    play.send("bet", "b1")
    answer = play.send("bet", "b1", player_id="q")
    assert answer.code.value == code
    assert answer.conflict == ("player_id" if code == "CONFLICT" else None)


@pytest.mark.parametrize(("id_includes_type", "code"), [(False, "CONFLICT"), (True, "OK")])
def test_a_win_may_carry_its_bets_id_where_ids_include_their_type(id_includes_type: bool, code: str) -> None:
    play = Play(replace(ACME, id_includes_type=id_includes_type))
    play.send("bet", "x1", amount="2.00")
    assert play.send("win", "x1", reference="x1", amount="5.00").code.value == code


def test_one_id_for_bet_win_and_rollback_works_where_ids_include_their_type() -> None:
    play = Play(replace(ACME, id_includes_type=True, rollback_unknown="accept"))
    play.send("bet", "x1", amount="2.00")
    assert play.send("rollback", "x1", reference="x1").code == "OK"
    assert play.send("rollback", "x1", reference="x1").replayed
    assert play.send("win", "x1", reference="x1").code == "ROLLED_BACK"
    assert play.send("rollback", "x2", reference="x2").code == "OK"
    assert play.send("bet", "x2").code == "ROLLED_BACK"
    assert play.cash_of() == 10000


def test_the_mark_of_a_taken_bet_is_no_tombstone_for_another_type_under_its_id() -> None:
    play = Play(replace(ACME, id_includes_type=True))
    play.send("bet", "x1")
    play.send("rollback", "c1", reference="x1")
    assert play.send("win", "x1", kind="promo").code == "OK"


@pytest.mark.parametrize(
    ("id_scope", "id_includes_type", "key"),
    [
        ("provider", False, "x"),
        ("provider", True, "x\x1fbet"),
        ("player", False, "x\x1fp"),
        ("player", True, "x\x1fp\x1fbet"),
    ],
)
def test_the_stored_key_is_as_narrow_as_the_profile_says(
    id_scope: str, id_includes_type: bool, key: str
) -> None:
    profile = Profile("acme", id_scope=id_scope, id_includes_type=id_includes_type)  # type: ignore[arg-type]  # a table of wrong values
    assert stored_key(profile, "p", "x", "bet") == key


@pytest.mark.parametrize(("require_session", "code"), [(True, "SESSION_EXPIRED"), (False, "OK")])
def test_a_session_is_asked_for_where_it_is_required(require_session: bool, code: str) -> None:
    play = Play(replace(ACME, require_session=require_session))
    assert play.send("bet", "b1", session_id=None).code.value == code
    assert play.send("bet", "b2", session_id="nobody's").code.value == code


@pytest.mark.parametrize(
    ("kinds", "kind", "code"),
    [
        ((), "game", "BET_NOT_FOUND"),
        (("any",), "game", "OK"),
        (("game",), "game", "OK"),
        (("promo",), "game", "BET_NOT_FOUND"),
        *[((), kind, "OK") for kind in ("promo", "tournament", "free_round", "jackpot", "bonus")],
    ],
)
def test_a_win_needs_a_bet_unless_its_kind_or_the_profile_says_otherwise(
    kinds: tuple[str, ...], kind: str, code: str
) -> None:
    play = Play(replace(ACME, win_without_bet=frozenset(kinds)))
    assert play.send("win", "w1", kind=kind).code.value == code


def test_a_win_whose_bet_nobody_needs_does_not_wait_for_it() -> None:
    play = Play(replace(ACME, win_without_bet=frozenset({"any"})))
    assert play.send("win", "w1", reference="b1").code == "OK"


@pytest.mark.parametrize(("wins_per_bet", "code"), [("one", "ALREADY_SETTLED"), ("many", "OK")])
def test_a_bet_has_one_win_or_many(wins_per_bet: str, code: str) -> None:
    play = Play(replace(ACME, wins_per_bet=wins_per_bet))  # type: ignore[arg-type]  # the table holds both values
    play.send("bet", "b1")
    play.send("win", "w1", reference="b1", amount="0.00")
    assert play.send("win", "w2", reference="b1").code.value == code


def test_a_jackpot_win_beside_the_game_win_does_not_count_as_the_one_win() -> None:
    play = Play()
    play.send("bet", "b1")
    assert play.send("win", "j1", reference="b1", kind="jackpot").code == "OK"
    assert play.send("win", "w1", reference="b1").code == "OK"
    assert play.send("win", "w2", reference="b1").code == "ALREADY_SETTLED"


def test_per_bet_a_win_without_reference_is_not_found_at_once() -> None:
    answer = Play().send("win", "w1")
    assert (answer.code.value, answer.burnt, answer.retryable) == ("BET_NOT_FOUND", False, True)


def test_per_round_a_win_without_reference_is_paid_once_its_round_has_a_bet() -> None:
    play = Play(replace(ACME, settlement="per_round"))
    play.send("bet", "b1")
    assert play.send("win", "w1").code == "OK"
    assert play.send("win", "w2").code == "ROUND_CLOSED"
    assert play.send("bet", "b2").code == "ROUND_CLOSED"


def test_per_round_a_win_without_reference_waits_for_a_bet_of_its_round() -> None:
    play = Play(replace(ACME, settlement="per_round"))
    assert play.codes(play.event("win", "w1")) == []
    assert play.codes(play.event("bet", "other", round_id="r2", provider="other")) == [("other", "OK")]
    assert play.codes(play.event("bet", "b1")) == [("b1", "OK"), ("w1", "OK")]


def test_per_round_a_jackpot_neither_closes_the_round_nor_counts_as_its_bet() -> None:
    play = Play(replace(ACME, settlement="per_round"))
    assert play.send("win", "j1", kind="jackpot").code == "OK"
    assert play.codes(play.event("win", "w1")) == []
    assert play.codes(play.event("bet", "b1")) == [("b1", "OK"), ("w1", "OK")]


def test_per_round_a_win_is_rolled_back_when_all_bets_of_its_round_are() -> None:
    play = Play(replace(ACME, settlement="per_round"))
    play.send("bet", "b1")
    play.send("bet", "b2")
    play.send("rollback", "c1", reference="b1")
    play.send("rollback", "c2", reference="b2")
    assert play.send("win", "w1").code == "ROLLED_BACK"


def test_per_round_with_many_wins_only_a_word_closes_the_round() -> None:
    play = Play(replace(ACME, settlement="per_round", wins_per_bet="many"))
    play.send("bet", "b1")
    assert play.send("win", "w1").code == "OK"
    assert play.send("win", "w2", round_closed=True).code == "OK"
    assert play.send("win", "w3").code == "ROUND_CLOSED"


def test_per_bet_a_win_never_closes_a_round_by_itself() -> None:
    play = Play()
    play.send("bet", "b1")
    play.send("win", "w1", reference="b1")
    assert play.send("bet", "b2").code == "OK"


@pytest.mark.parametrize(("rollback_unknown", "code"), [("reject", "BET_NOT_FOUND"), ("accept", "OK")])
def test_the_rollback_of_an_unknown_bet_answers_as_the_profile_says(rollback_unknown: str, code: str) -> None:
    play = Play(replace(ACME, rollback_unknown=rollback_unknown))  # type: ignore[arg-type]  # the table holds both
    assert play.send("rollback", "c1", reference="b1").code.value == code
    assert play.send("rollback", "c2", reference="b1").code.value == code
    assert play.send("bet", "b1").code == "ROLLED_BACK"


@pytest.mark.parametrize(
    ("rollback_amount", "amount", "code"),
    [
        ("must_match", None, "OK"),
        ("must_match", "2.0", "OK"),
        ("must_match", "2.01", "NOT_ROLLBACKABLE"),
        ("must_match", "2.001", "NOT_ROLLBACKABLE"),
        ("ignore", "2.01", "OK"),
    ],
)
def test_a_rollbacks_amount_must_be_the_bets_or_does_not_matter(
    rollback_amount: str, amount: str | None, code: str
) -> None:
    play = Play(replace(ACME, rollback_amount=rollback_amount))  # type: ignore[arg-type]  # the table holds both values
    play.send("bet", "b1", amount="2.00")
    assert play.send("rollback", "c1", reference="b1", amount=amount).code.value == code


def test_a_tombstone_ignores_amounts() -> None:
    play = Play(replace(ACME, rollback_unknown="accept"))
    assert play.send("rollback", "c1", reference="b1", amount="7.00").code == "OK"
    assert play.send("bet", "b1", amount="2.00").code == "ROLLED_BACK"


def test_no_rollback_after_a_win_by_default() -> None:
    play = Play()
    play.send("bet", "b1")
    play.send("win", "w1", reference="b1", amount="0.00")
    assert play.send("rollback", "c1", reference="b1").code == "ALREADY_SETTLED"


@pytest.mark.parametrize(
    ("games", "listed", "game_status", "code"),
    [
        ("any", False, "active", "OK"),
        ("any", True, "suspended", "GAME_BLOCKED"),
        ("listed", False, "active", "GAME_BLOCKED"),
        ("listed", True, "active", "OK"),
        ("listed", True, "suspended", "GAME_BLOCKED"),
    ],
)
def test_a_game_must_be_listed_and_active_where_games_are_listed(
    games: str, listed: bool, game_status: str, code: str
) -> None:
    profile = replace(ACME, games=games)  # type: ignore[arg-type]  # the table holds both values
    game = Game("acme" if listed else "other", "g", status=game_status)  # type: ignore[arg-type]  # as above
    assert Play(profile, (game,)).send("bet", "b1").code.value == code


@pytest.mark.parametrize(("status", "code"), [("active", "OK"), ("suspended", "GAME_BLOCKED")])
def test_a_suspended_provider_takes_no_bets_and_still_pays(status: str, code: str) -> None:
    play = Play()
    play.send("bet", "b0")
    suspended = replace(ACME, status=status)  # type: ignore[arg-type]  # the table holds both values
    play.ledger.reference = replace(play.ledger.reference, providers={"acme": suspended})
    assert play.send("bet", "b1").code.value == code
    assert play.send("win", "w1", reference="b0").code == "OK"


def test_a_provider_that_nobody_applied_takes_no_bets() -> None:
    play = Play()
    assert play.send("bet", "b1", provider="nobody").code == "GAME_BLOCKED"
    assert play.send("win", "w1", provider="nobody", kind="promo").code == "OK"
    assert play.send("rollback", "c1", provider="nobody", reference="x").code == "BET_NOT_FOUND"


@pytest.mark.parametrize(("currencies", "code"), [((), "OK"), (("EUR",), "OK"), (("USD",), "WRONG_CURRENCY")])
def test_a_provider_may_be_bound_to_currencies(currencies: tuple[str, ...], code: str) -> None:
    assert Play(replace(ACME, currencies=frozenset(currencies))).send("bet", "b1").code.value == code


def test_a_missing_bet_is_waited_for_as_long_as_the_profile_says() -> None:
    play = Play(replace(ACME, missing_bet_wait_seconds=5))
    assert play.batch(play.event("win", "w1", reference="b1")) == []
    play.ledger.pass_time(4.9)
    assert play.batch() == []
    play.ledger.pass_time(0.2)
    assert play.codes() == [("w1", "BET_NOT_FOUND")]
