"""`make scale`: fills a Postgres of its own with long histories, asks what people ask, tells how long it took."""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from pathlib import Path

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from processor.devstack.embedded import EmbeddedStack
from processor.postgres.desk.desk import Desk, open_desk
from tests.installations import make_database, make_template
from tests.scale.filling import OTHER_PLAYERS, fill
from tests.scale.questions import Question, questions

_TIMES = 20


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.scale", description=__doc__)
    parser.add_argument("--transactions", type=int, default=10_000_000)
    parser.add_argument("--output", type=Path, default=Path("build/scale.json"), help="the JSON file")
    asked = parser.parse_args()
    console = Console()
    rows, size = asyncio.run(_measure(asked.transactions, console))
    table = Table("player", "asked for", "rows", "median ms", "slowest ms")
    for row in rows:
        table.add_row(*map(str, row.values()))
    console.print(table)
    console.print(f"{asked.transactions:,} transactions of {OTHER_PLAYERS + 1:,} players, {size}.")
    asked.output.parent.mkdir(parents=True, exist_ok=True)
    asked.output.write_bytes(orjson.dumps({"size": size, "rows": rows}, option=orjson.OPT_INDENT_2))
    return 0


async def _measure(transactions: int, console: Console) -> tuple[list[dict[str, str | int | float]], str]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    async with EmbeddedStack() as stack:
        database = await make_database(stack, await make_template(stack))
        with Progress(*columns, console=console) as progress:
            task = progress.add_task("Filling", total=transactions)
            size = await fill(
                database.migrator_dsn, transactions, lambda count: progress.advance(task, count)
            )
        players = {
            "the longest": questions(1, transactions // 10),
            "another": questions(2 + OTHER_PLAYERS // 2 + 1, transactions // OTHER_PLAYERS),
        }
        async with open_desk(database.worker_dsn) as desk:
            return [await _timed(desk, who, one) for who, asked in players.items() for one in asked], size


async def _timed(desk: Desk, who: str, question: Question) -> dict[str, str | int | float]:
    took, found = [], 0
    for _ in range(_TIMES):
        began = time.perf_counter()
        found = await question.ask(desk)
        took.append((time.perf_counter() - began) * 1000)
    return {
        "player": who,
        "asked for": question.words,
        "rows": found,
        "median ms": round(statistics.median(took), 1),
        "slowest ms": round(max(took), 1),
    }


if __name__ == "__main__":
    raise SystemExit(main())
