"""The least that a ledger behind the bare loop can do: known ids, locked balances, one outcome, one entry. No law.

No session, no round, no seal, no journal, no house account, no recovery: not a wallet, but a floor. What the bare loop
reaches with this before each publication is the most that any ledger of this kind could reach on the same machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import asyncpg
import orjson

_SQL: Final = Path(__file__).parent / "sql"
_OUTCOMES: Final = ("provider", "key", "player", "type", "amount", "round_id", "code")
_ENTRIES: Final = ("player", "key", "amount", "balance_after")


@cache
def _sql(name: str) -> str:
    return (_SQL / f"{name}.sql").read_text()


async def make_least_ledger(dsn: str, players: int) -> None:
    """Its tables, empty, and an account with money for each of the bench's players."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        await connection.execute(_sql("bench_least"))
        await connection.execute(_sql("least_players"), players)
        await connection.execute("ANALYZE bench_least.accounts")
    finally:
        await connection.close()


class LeastLedger:
    """One lane's connection."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    @classmethod
    async def connected(cls, dsn: str) -> LeastLedger:
        return cls(await asyncpg.connect(dsn, timeout=10))

    async def close(self) -> None:
        await self._connection.close()

    async def apply(self, messages: Sequence[Any]) -> None:
        """Book these events in one transaction. Raises AssertionError where one is known or not covered."""
        events = [orjson.loads(message.value) for message in messages]
        connection = self._connection
        async with connection.transaction():
            keys = sorted(event["transaction_id"] for event in events)
            known = await connection.fetch(_sql("least_known"), events[0]["provider"], keys)
            assert not known, "the bench uses no id twice"
            players = sorted({event["player_id"] for event in events})
            rows = await connection.fetch(_sql("least_accounts"), players)
            balances = {player: [balance, version] for player, balance, version in rows}
            outcomes, entries = _booked(events, balances)
            await connection.copy_records_to_table(
                "outcomes", schema_name="bench_least", records=outcomes, columns=_OUTCOMES
            )
            await connection.copy_records_to_table(
                "entries", schema_name="bench_least", records=entries, columns=_ENTRIES
            )
            await connection.execute(
                _sql("least_balances"),
                list(balances),
                [balance for balance, _ in balances.values()],
                [version for _, version in balances.values()],
            )


def _booked(
    events: Sequence[dict[str, Any]], balances: dict[str, list[int]]
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    outcomes, entries = [], []
    for event in events:
        player, key, type_ = event["player_id"], event["transaction_id"], event["type"]
        amount = int(event["amount"].replace(".", ""))
        account = balances[player]
        account[0] += -amount if type_ == "bet" else amount
        account[1] += 1
        assert account[0] >= 0, "the bench's players have money enough"
        outcomes.append((event["provider"], key, player, type_, amount, event["round_id"], "OK"))
        entries.append((player, key, amount, account[0]))
    outcomes.sort()
    return outcomes, entries
