"""Books: lets a decision take place in the locked state: entries with balances after, effects, the stored outcome."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from processor.domain.case import Case
from processor.domain.counting import count_usage
from processor.domain.decision import CODE_TEXT, Decision, Posting
from processor.domain.postings import CLEARING, HOUSE, HOUSE_ACCOUNTS
from processor.domain.state import DEBT, Account, Entry, Outcome, Player
from processor.domain.wagering import count_wagers


def apply(case: Case, decision: Decision, wallet_transaction_id: str | None) -> Outcome | None:
    """Move the state as decided, count the answer, and store the outcome where the id is burnt."""
    command, player, books = case.command, case.player, case.books
    player.sequence += 1
    player.changed = True
    if decision.postings:
        for leg, posting in enumerate(decision.postings):
            books.new_entries.append(_book(posting, player, command.provider, leg))
        count_usage(case, decision.postings)
        if player.bonuses:
            count_wagers(case, decision.postings)
    for effect in decision.effects:
        effect.apply(player, case.moment)
    if wallet_transaction_id is None:
        return None
    outcome = Outcome(
        command.provider,
        case.key,
        command.transaction_id,
        command.player_id,
        command.type,
        CODE_TEXT[decision.code],
        wallet_transaction_id,
        command.currency,
        command.amount_minor,
        command.amount_text,
        command.game_id,
        command.round_id,
        command.session_id,
        command.reference,
        command.kind,
        command.own,
        decision.moved_minor,
        decision.moved_currency,
        decision.split,
        decision.details,
        player.sequence,
        command.partition,
        command.offset,
        case.moment.decided_at,
        command.metadata,
        command.broker_time,
    )
    books.outcomes[(command.provider, case.key)] = outcome
    books.new_outcomes.append(outcome)
    return outcome


def _book(posting: Posting, player: Player, provider: str, leg: int) -> Entry:
    """One entry; each side that is a pool of the player's moves, and is never left where it must not be."""
    debit, credit = posting.debit, posting.credit
    if posting.cleared:
        debit, credit = (CLEARING, credit) if debit in HOUSE_ACCOUNTS else (debit, CLEARING)
    currency, amount_minor = posting.currency, posting.amount_minor
    assert amount_minor > 0, f"an entry moves an amount above zero, not {amount_minor}"
    entry = Entry(player.player_id, player.sequence, leg, provider, currency, amount_minor, debit, credit)
    if debit not in HOUSE_ACCOUNTS:
        account = player.account(currency, debit)
        _move(account, -amount_minor)
        entry.debit_balance_after_minor, entry.debit_version = account.balance_minor, account.version
    if credit not in HOUSE_ACCOUNTS:
        account = player.account(currency, credit)
        _move(account, amount_minor)
        entry.credit_balance_after_minor, entry.credit_version = account.balance_minor, account.version
    return entry


def _move(account: Account, change_minor: int) -> None:
    account.balance_minor += change_minor
    account.version += 1
    account.changed = True
    if account.pool == DEBT:
        assert account.balance_minor <= 0, "a debt is never above zero"
    else:
        assert account.balance_minor >= 0, f"the pool {account.pool} is never below zero"


def house_changes(entries: Iterable[Entry]) -> Mapping[tuple[str, str, str], int]:
    """What entries change of the house's accounts: (provider, currency, purpose) to minor units the house got."""
    changes: dict[tuple[str, str, str], int] = {}
    for entry in entries:
        if entry.credit in HOUSE_ACCOUNTS:
            account = (entry.provider, entry.currency, entry.credit.removeprefix(HOUSE))
            changes[account] = changes.get(account, 0) + entry.amount_minor
        if entry.debit in HOUSE_ACCOUNTS:
            account = (entry.provider, entry.currency, entry.debit.removeprefix(HOUSE))
            changes[account] = changes.get(account, 0) - entry.amount_minor
    return changes
