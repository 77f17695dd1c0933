"""Bonuses: what is granted, how far its wagering has come, what is released and what expires."""

from __future__ import annotations

import pytest

from processor.domain.answers import Answer
from processor.domain.player_effects import MOST_BONUSES
from processor.domain.profiles import Profile
from tests.unit.domain.play import Play
from tests.unit.domain.test_operations import posted


def cashier(
    play: Play, type_: str, id_: str, amount: str, bonus_id: str = "w", must: str | None = None
) -> Answer:
    own = (("bonus_id", bonus_id), *((("wagering_requirement", must),) if must is not None else ()))
    return play.send(type_, id_, provider="cashier", amount=amount, own=own)


def wagered(play: Play) -> dict[str, int]:
    return {one.bonus_id: one.wagered_minor for one in play.ledger.players["p"].bonuses}


def pools(play: Play) -> tuple[int, int]:
    player = play.ledger.players["p"]
    return player.balance_minor("EUR", "cash"), player.balance_minor("EUR", "bonus")


def test_a_grant_comes_from_promotion_and_counts_for_no_limit() -> None:
    play = Play(cash="1.00")
    before = len(play.ledger.entries)
    answer = cashier(play, "grant_bonus", "g1", "5.00", must="20.00")
    assert (answer.code, answer.moved_minor, answer.split) == ("OK", 500, {"bonus": 500})
    assert posted(play, before) == [("house:promotion", "bonus", 500)]
    usage = play.ledger.players["p"].accounts[("EUR", "cash")].usage
    assert usage is not None
    assert usage.today == [0, 0, 0, 100]  # the deposit alone


def test_a_grant_of_nothing_moves_nothing() -> None:
    play = Play(cash="1.00")
    answer = cashier(play, "grant_bonus", "g1", "0.00")
    assert (answer.code, answer.moved_minor, answer.split) == ("OK", 0, {})


def test_stakes_count_until_the_requirement_is_met_and_then_the_money_is_cash() -> None:
    play = Play(cash="10.00")
    cashier(play, "grant_bonus", "g1", "5.00", must="12.00")
    play.send("bet", "b1", amount="10.00")
    assert cashier(play, "release_bonus", "y1", "5.00").code == "INSUFFICIENT_FUNDS"
    play.send("bet", "b2", amount="1.99")
    assert cashier(play, "release_bonus", "y2", "3.01").code == "INSUFFICIENT_FUNDS"
    play.send("bet", "b3", amount="0.01")
    assert wagered(play) == {"w": 1200}
    assert cashier(play, "release_bonus", "y3", "3.01").code == "INSUFFICIENT_FUNDS"  # more than there is
    answer = cashier(play, "release_bonus", "y4", "3.00")
    assert (answer.code, answer.moved_minor, answer.split) == ("OK", 300, {"cash": 300, "bonus": -300})
    assert pools(play) == (300, 0)
    assert wagered(play) == {}


def test_what_is_left_of_a_released_bonus_can_be_released_later() -> None:
    play = Play(cash="0.00")
    cashier(play, "grant_bonus", "g1", "5.00")
    cashier(play, "release_bonus", "y1", "2.00")
    assert cashier(play, "release_bonus", "y2", "3.00").code == "OK"
    assert cashier(play, "release_bonus", "y3", "0.01").code == "INSUFFICIENT_FUNDS"
    assert pools(play) == (500, 0)


@pytest.mark.parametrize("kind", ["tip", "fee", "buy_in", "rebuy", "add_on"])
def test_what_is_no_stake_wagers_nothing(kind: str) -> None:
    play = Play()
    cashier(play, "grant_bonus", "g1", "5.00", must="12.00")
    play.send("bet", "b1", amount="10.00", kind=kind)
    assert wagered(play) == {"w": 0}


def test_a_part_for_the_jackpot_and_a_bought_free_round_are_stakes() -> None:
    play = Play()
    cashier(play, "grant_bonus", "g1", "5.00", must="12.00")
    play.send("bet", "b1", amount="2.00", own=(("jackpot_contribution", "0.10"),))
    play.send("bet", "b2", amount="1.00", kind="free_round")
    play.send("bet_win", "b3", bet_amount="4.00", win_amount="9.00", round_id="r2")
    assert wagered(play) == {"w": 700}


def test_a_rollback_and_a_refund_take_their_part_back() -> None:
    play = Play()
    cashier(play, "grant_bonus", "g1", "5.00", must="12.00")
    play.send("bet", "b1", amount="10.00")
    play.send("bet", "b2", amount="4.00")
    play.send("refund", "f1", reference="b1", amount="2.50")
    assert wagered(play) == {"w": 1150}
    play.send("rollback", "c1", reference="b2")
    assert wagered(play) == {"w": 750}
    assert cashier(play, "release_bonus", "y1", "5.00").code == "INSUFFICIENT_FUNDS"


def test_a_win_that_is_taken_back_with_its_bet_is_no_stake() -> None:
    play = Play(Profile("acme", rollback_after_win="allow", win_reversal="take_available"))
    cashier(play, "grant_bonus", "g1", "5.00", must="12.00")
    play.send("bet", "b1", amount="10.00")
    play.send("win", "w1", reference="b1", amount="3.00")
    assert wagered(play) == {"w": 1000}
    play.send("rollback", "c1", reference="b1")
    assert wagered(play) == {"w": 0}


def test_a_bet_that_was_there_before_the_bonus_takes_nothing_off_it() -> None:
    play = Play()
    play.send("bet", "b1", amount="10.00")
    cashier(play, "grant_bonus", "g1", "5.00", must="12.00")
    play.send("bet", "b2", amount="4.00")
    play.send("rollback", "c1", reference="b1")
    assert wagered(play) == {"w": 400}


def test_bonuses_fill_in_their_order_and_empty_the_other_way() -> None:
    play = Play()
    cashier(play, "grant_bonus", "g1", "5.00", "first", must="6.00")
    cashier(play, "grant_bonus", "g2", "5.00", "second", must="6.00")
    for number in range(4):
        play.send("bet", f"b{number}", amount="4.00")
    assert wagered(play) == {"first": 800, "second": 800}
    play.send("rollback", "c3", reference="b3")
    assert wagered(play) == {"first": 800, "second": 400}
    play.send("rollback", "c2", reference="b2")
    play.send("rollback", "c1", reference="b1")
    assert wagered(play) == {"first": 400, "second": 0}


def test_a_bet_that_names_a_bonus_counts_for_it_alone() -> None:
    play = Play()
    cashier(play, "grant_bonus", "g1", "5.00", "first", must="6.00")
    cashier(play, "grant_bonus", "g2", "5.00", "second", must="6.00")
    play.send("bet", "b1", amount="4.00", own=(("bonus_id", "second"),))
    play.send("bet", "b2", amount="1.00", own=(("bonus_id", "nobody's"),))
    assert wagered(play) == {"first": 100, "second": 400}
    play.send("rollback", "c1", reference="b1")
    assert wagered(play) == {"first": 100, "second": 0}


def test_the_same_bonus_in_two_currencies_is_two() -> None:
    play = Play()
    play.send("open_player", "o2", currency="USD")
    cashier(play, "grant_bonus", "g1", "5.00", must="6.00")
    own = (("bonus_id", "w"), ("wagering_requirement", "9.00"))
    play.send("grant_bonus", "g2", provider="cashier", currency="USD", amount="7.00", own=own)
    play.send("bet", "b1", amount="4.00")
    play.send("bet", "b2", currency="USD", amount="3.00", round_id="r2")
    play.send("rollback", "c1", reference="b1")

    def facts() -> list[tuple[str, int, int]]:
        bonuses = play.ledger.players["p"].bonuses
        return [(one.currency, one.requirement_minor, one.wagered_minor) for one in bonuses]

    assert facts() == [("EUR", 600, 0), ("USD", 900, 300)]
    cashier(play, "expire_bonus", "x1", "5.00")
    assert facts() == [("USD", 900, 300)]


def test_a_refused_bet_wagers_nothing() -> None:
    play = Play(cash="1.00")
    cashier(play, "grant_bonus", "g1", "1.00", must="6.00")
    assert play.send("bet", "b1", amount="2.01").code == "INSUFFICIENT_FUNDS"
    assert wagered(play) == {"w": 0}


def test_expiry_takes_what_is_left_and_ends_the_bonus() -> None:
    play = Play(cash="0.00")
    cashier(play, "grant_bonus", "g1", "5.00", must="6.00")
    play.send("bet", "b1", amount="2.00")
    before = len(play.ledger.entries)
    answer = cashier(play, "expire_bonus", "x1", "5.00")
    assert (answer.code, answer.moved_minor, answer.split) == ("OK", -300, {"bonus": -300})
    assert posted(play, before) == [("bonus", "house:promotion", 300)]
    assert wagered(play) == {}
    again = cashier(play, "expire_bonus", "x2", "5.00")
    assert (again.code, again.moved_minor, again.moved_currency) == ("OK", 0, "EUR")


def test_a_second_grant_of_a_bonus_asks_for_more() -> None:
    play = Play()
    cashier(play, "grant_bonus", "g1", "5.00", must="2.00")
    play.send("bet", "b1", amount="2.00")
    cashier(play, "grant_bonus", "g2", "5.00", must="3.00")
    [bonus] = play.ledger.players["p"].bonuses
    assert (bonus.requirement_minor, bonus.wagered_minor) == (500, 200)


def test_an_unknown_bonus_and_one_of_another_currency_are_not_released() -> None:
    play = Play()
    cashier(play, "grant_bonus", "g1", "5.00")
    assert cashier(play, "release_bonus", "y1", "1.00", "other").code == "INSUFFICIENT_FUNDS"
    play.send("open_player", "o2", currency="USD")
    own = (("bonus_id", "w"),)
    answer = play.send("release_bonus", "y2", provider="cashier", currency="USD", amount="0.00", own=own)
    assert answer.code == "INSUFFICIENT_FUNDS"


def test_no_more_bonuses_are_remembered_than_may_be() -> None:
    play = Play()
    for number in range(MOST_BONUSES + 1):
        cashier(play, "grant_bonus", f"g{number}", "0.01", f"w{number}")
    bonuses = play.ledger.players["p"].bonuses
    assert len(bonuses) == MOST_BONUSES
    assert bonuses[0].bonus_id == "w1"


def test_a_debt_is_not_repaid_by_a_bonus() -> None:
    play = Play(Profile("acme", win_reversal="player_debt"), cash="1.00")
    play.send("bet", "b1", amount="1.00")
    play.send("win", "w1", reference="b1", amount="3.00")
    play.send("withdraw", "d1", amount="3.00")
    play.send("reverse_win", "v1", reference="w1")
    cashier(play, "grant_bonus", "g1", "5.00")
    cashier(play, "release_bonus", "y1", "5.00")
    assert play.ledger.players["p"].balance_minor("EUR", "debt") == -300
    assert pools(play) == (500, 0)
