"""The audit: proves the books on a live system, in one snapshot, and names the first fault of each kind.

It is incremental: how far it has proved is kept (``audit_marks``), and the next run begins there. A full run starts
over, for what was proved once can be tampered with later.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import asyncpg

from processor.errors import PostgresUnreachable
from processor.postgres.audit_report import AuditReport, Lane, Mark, Progress, Proof
from processor.postgres.audit_seals import prove_seals
from processor.postgres.connection import Connection, Timeouts, opened
from processor.postgres.statements import statements

#: An audit of everything reads everything: its bounds only end what has gone wrong.
_TIMEOUTS = Timeouts(statement_seconds=86_400, lock_seconds=60, idle_in_transaction_seconds=86_400)
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def _silent(_what: str, _done: int, _total: int | None) -> None:
    """Nobody watches."""


async def audit(
    dsn: str, *, full: bool = False, progress: Progress = _silent, replica_dsn: str | None = None
) -> AuditReport:
    """Prove the books. ``dsn`` is the primary's, where the mark is kept; ``replica_dsn`` may do the reading.

    Raises `errors.PostgresUnreachable`, `errors.NotMigrated`. The mark moves only where every proof holds.
    """
    mark = Mark() if full else await _stored_mark(dsn)
    async with opened(replica_dsn or dsn, _TIMEOUTS) as connection:
        await connection.execute(statements("audit")["snapshot"])
        report, proved = await _Proofs(connection, mark, progress).all()
    if report.clean:
        await _keep(dsn, proved)
    return report


async def _stored_mark(dsn: str) -> Mark:
    async with opened(dsn) as connection:
        text = await connection.fetchval(statements("audit")["mark"])
    return Mark() if text is None else Mark.from_text(text)


async def _keep(dsn: str, proved: Mark) -> None:
    try:
        async with opened(dsn) as connection:
            await connection.execute(statements("audit")["keep_mark"], proved.as_text())
    except asyncpg.ReadOnlySQLTransactionError as error:
        raise PostgresUnreachable(
            "the audit's mark is kept on the primary, and this server only reads"
        ) from error


class _Proofs:
    """The proofs of one run, over one snapshot."""

    def __init__(self, connection: Connection, mark: Mark, progress: Progress) -> None:
        self._connection = connection
        self._mark = mark
        self._progress = progress
        self._sql = statements("audit")
        self._since: datetime = _BEGINNING
        self._entries = 0
        self._proved = Mark(house=dict(mark.house), outside_rounds=dict(mark.outside_rounds))

    async def all(self) -> tuple[AuditReport, Mark]:
        """Every proof, in the order in which a reader wants them."""
        extent = (await self._fetch("extent", *self._mark.arguments()))[0]
        incremental = bool(self._mark.lanes)
        if incremental:
            self._since = extent["since"] or datetime.now(UTC)
        report = AuditReport(incremental, extent["batches"], extent["outcomes"])
        for prove in (
            self._zero_sum,
            self._balances,
            self._chains,
            self._pools,
            self._seals,
            self._house,
            self._rounds,
            self._lanes,
        ):
            self._progress(prove.__name__.strip("_"), 0, None)
            report.proofs.append(await prove())
        return report, self._proved

    async def _fetch(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        return await self._connection.fetch(self._sql[statement], *arguments)

    async def _fresh(self, statement: str) -> list[asyncpg.Record]:
        """A statement about the entries that lie beyond the mark; without a mark these are all."""
        return await self._fetch(statement, *self._mark.arguments(), self._since, not self._mark.lanes)

    async def _zero_sum(self) -> Proof:
        self._entries = (await self._fresh("fresh_entries"))[0][0]
        fault = None
        for currency, surplus in await self._fetch("unbalanced_currencies"):
            fault = fault or f"in {currency} all accounts together have {surplus} minor units instead of 0"
        for row in await self._fetch("entries_of_nothing", self._since):
            fault = fault or f"entry {_entry(row)} belongs to no decision"
        sentence = "each entry names both its sides; per currency, players and house together have zero"
        return Proof("entries", sentence, self._entries, fault)

    async def _balances(self) -> Proof:
        examined = (await self._fetch("accounts"))[0][0]
        fault = None
        if not self._mark.lanes:
            for row in await self._fetch("unequal_balances"):
                fault = (
                    f"account {_account(row)} has {row['balance']} after {row['version']} entries,"
                    f" its entries say {row['entries_balance']} after {row['entries']}"
                )
        else:
            examined = 0
        sentence = "each balance equals the sum of its entries, and its version their count"
        if self._mark.lanes:
            sentence += " (by the chains, since the last audit)"
        return Proof("balances", sentence, examined, fault)

    async def _chains(self) -> Proof:
        fault = None
        for row in await self._fresh("broken_chains"):
            fault = (
                f"account {_account(row)}: entry {row['sequence']}/{row['leg']} moves {row['change']} from"
                f" {row['from_balance']} (version {row['from_version']}) to {row['after']} (version {row['version']});"
                f" the account stands at {row['balance']} (version {row['account_version']})"
            )
        sentence = "each account's chain of balances is unbroken and ends at the account"
        return Proof("chains", sentence, self._entries, fault)

    async def _pools(self) -> Proof:
        fault = None
        for row in await self._fetch("negative_pools"):
            fault = f"account {_account(row)} stands at {row['balance']}"
        for row in await self._fetch("negative_entries", self._since):
            fault = fault or f"entry {_entry(row)} left a pool below zero, or a debt above it"
        accounts = (await self._fetch("accounts"))[0][0]
        return Proof("pools", "no pool is below zero, no debt above it", accounts, fault)

    async def _seals(self) -> Proof:
        extent = (await self._fetch("extent", *self._mark.arguments()))[0]
        proof, ends = await prove_seals(
            self._connection, self._mark, self._since, extent["outcomes"], self._progress
        )
        self._proved.lanes = ends
        return proof

    async def _house(self) -> Proof:
        for provider, currency, purpose, change in await self._fresh("house_changes"):
            account = (provider, currency, purpose)
            self._proved.house[account] = self._proved.house.get(account, 0) + int(change)
        stored = {
            (provider, currency, purpose): int(balance)
            for provider, currency, purpose, balance in await self._fetch("house_balances")
        }
        differing = sorted(
            account
            for account in stored.keys() | self._proved.house.keys()
            if stored.get(account, 0) != self._proved.house.get(account, 0)
        )
        fault = None
        if differing:
            account = differing[0]
            fault = (
                f"the house's account {' '.join(account)} stands at {stored.get(account, 0)},"
                f" its entries say {self._proved.house.get(account, 0)}"
            )
        return Proof("house", "the house's balances equal the sums of their entries", len(stored), fault)

    async def _rounds(self) -> Proof:
        for provider, currency, change in await self._fetch(
            "gaming_outside_rounds", *self._mark.arguments(), self._since
        ):
            name = (provider, currency)
            self._proved.outside_rounds[name] = self._proved.outside_rounds.get(name, 0) + int(change)
        expected = dict(self._proved.outside_rounds)
        for provider, currency, net in await self._fetch("round_totals"):
            expected[(provider, currency)] = expected.get((provider, currency), 0) + int(net)
        gaming = {
            (provider, currency): int(balance)
            for provider, currency, purpose, balance in await self._fetch("house_balances")
            if purpose == "gaming"
        }
        fault = None
        for name in sorted(expected.keys() | gaming.keys()):
            if expected.get(name, 0) != gaming.get(name, 0):
                fault = fault or (
                    f"the gaming account of {' '.join(name)} stands at {gaming.get(name, 0)},"
                    f" rounds, adjustments and settlements say {expected.get(name, 0)}"
                )
        sentence = (
            "stakes less winnings of all rounds, with adjustments and settlements, equal the gaming accounts"
        )
        return Proof("rounds", sentence, len(gaming), fault)

    async def _lanes(self) -> Proof:
        rows = await self._fetch("lanes")
        faults = [fault for row in rows if (fault := _lane_fault(row, self._proved.lanes)) is not None]
        sentence = "of each lane, published ≤ applied, and the journal holds what is between"
        return Proof("lanes", sentence, len(rows), faults[0] if faults else None)


def _lane_fault(row: asyncpg.Record, proved: dict[Lane, tuple[int, bytes]]) -> str | None:
    layout, lane, applied, published = row["layout"], row["lane"], row["applied_seq"], row["published_seq"]
    if published > applied:
        return f"lane {layout}/{lane} has published batch {published} and applied only {applied}"
    if row["sealed_seq"] != applied:
        return (
            f"lane {layout}/{lane} has applied batch {applied}, its last seal is of batch {row['sealed_seq']}"
        )
    if row["waiting"] != applied - published:
        return f"lane {layout}/{lane} has {applied - published} batches to publish, its journal holds {row['waiting']}"
    if applied and proved.get((layout, lane), (0, b""))[0] != applied:
        return f"lane {layout}/{lane} has applied batch {applied}, its chain of seals ends before"
    return None


def _account(row: asyncpg.Record) -> str:
    return f"{row['player_id'] or '#' + str(row['player'])} {row['currency']} {row['pool']}"


def _entry(row: asyncpg.Record) -> str:
    return f"{row['player_id'] or '#' + str(row['player'])} {row['sequence']}/{row['leg']}"
