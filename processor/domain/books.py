"""Books: lets a decision take place in the locked state: entries with balances after, effects, the stored outcome."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from processor.domain.commands import Command
from processor.domain.decision import Decision, Moment, Posting
from processor.domain.state import DEBT, Account, Books, Entry, Outcome, Player

HOUSE = "house:"


def apply(
    command: Command,
    decision: Decision,
    player: Player,
    books: Books,
    moment: Moment,
    key: str,
    wallet_transaction_id: str | None,
) -> Outcome | None:
    """Move the state as decided, count the answer, and store the outcome where the id is burnt."""
    player.sequence += 1
    player.changed = True
    for leg, posting in enumerate(decision.postings):
        books.new_entries.append(_book(posting, player, command.provider, leg))
    for effect in decision.effects:
        effect.apply(player, moment)
    if wallet_transaction_id is None:
        return None
    outcome = Outcome(
        command.provider,
        key,
        command.transaction_id,
        command.player_id,
        command.type,
        decision.code.value,
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
        moment.decided_at,
        command.metadata,
    )
    books.outcomes[(command.provider, key)] = outcome
    books.new_outcomes.append(outcome)
    return outcome


def _book(posting: Posting, player: Player, provider: str, leg: int) -> Entry:
    """One entry; each side that is a pool of the player's moves, and is never left where it must not be."""
    debit, credit, currency, amount_minor = posting
    assert amount_minor > 0, f"an entry moves an amount above zero, not {amount_minor}"
    entry = Entry(player.player_id, player.sequence, leg, provider, currency, amount_minor, debit, credit)
    if not debit.startswith(HOUSE):
        account = _move(player.account(currency, debit), -amount_minor)
        entry.debit_balance_after_minor, entry.debit_version = account.balance_minor, account.version
    if not credit.startswith(HOUSE):
        account = _move(player.account(currency, credit), amount_minor)
        entry.credit_balance_after_minor, entry.credit_version = account.balance_minor, account.version
    return entry


def _move(account: Account, change_minor: int) -> Account:
    account.balance_minor += change_minor
    account.version += 1
    account.changed = True
    if account.pool == DEBT:
        assert account.balance_minor <= 0, "a debt is never above zero"
    else:
        assert account.balance_minor >= 0, f"the pool {account.pool} is never below zero"
    return account


def house_changes(entries: Iterable[Entry]) -> Mapping[tuple[str, str, str], int]:
    """What entries change of the house's accounts: (provider, currency, purpose) to minor units the house got."""
    changes: dict[tuple[str, str, str], int] = {}
    for entry in entries:
        if entry.credit.startswith(HOUSE):
            account = (entry.provider, entry.currency, entry.credit[len(HOUSE) :])
            changes[account] = changes.get(account, 0) + entry.amount_minor
        if entry.debit.startswith(HOUSE):
            account = (entry.provider, entry.currency, entry.debit[len(HOUSE) :])
            changes[account] = changes.get(account, 0) - entry.amount_minor
    return changes
