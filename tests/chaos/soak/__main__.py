"""`make soak`: the soak from the command line; a table for people, JSON for what reads it, exit 1 for bad news."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table

from tests.chaos.play import chaos_seed
from tests.chaos.soak.soak import SoakPlan, SoakReport, soak


def main() -> int:
    asked = _arguments()
    console = Console()
    if asked.judge is not None:
        report = SoakReport.judged_again(orjson.loads(asked.judge.read_bytes()))
        _show(report, console)
        return 0 if report.good else 1
    plan = SoakPlan(
        asked.seconds, asked.every_seconds, chaos_seed(), asked.share, asked.measured_events, asked.rate
    )

    def say(sentence: str) -> None:
        console.print(sentence, markup=False, highlight=False)

    directory = Path(tempfile.mkdtemp(prefix="croupier-soak-"))
    # What the sender's client says while a broker is away is many lines a second.
    logging.basicConfig(filename=directory / "play.log", level=logging.WARNING)
    report = asyncio.run(soak(plan, directory, say))
    asked.output.parent.mkdir(parents=True, exist_ok=True)
    asked.output.write_bytes(orjson.dumps(report.as_document(), option=orjson.OPT_INDENT_2))
    _show(report, console)
    say(f"The same with every sample as JSON: {asked.output}. The logs of workers and play: {directory}.")
    return 0 if report.good else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600.0, help="how long to play")
    parser.add_argument("--every-seconds", type=float, default=60.0, help="from one trouble to the next")
    parser.add_argument("--rate", type=float, help="events a second; without it a share of the measured rate")
    parser.add_argument("--share", type=float, default=0.6, help="of the measured rate")
    parser.add_argument("--measured-events", type=int, default=30_000, help="backlog to measure with")
    parser.add_argument("--output", type=Path, default=Path("build/chaos/soak.json"), help="the JSON file")
    parser.add_argument(
        "--judge", type=Path, help="play nothing, judge the samples of an earlier soak's file"
    )
    return parser.parse_args()


def _show(report: SoakReport, console: Console) -> None:
    console.print(
        f"{report.events:,} events, {report.answers:,} answers in {report.seconds:,.0f} s, "
        f"{len(report.troubles)} troubles, {report.deaths} deaths of workers."
    )
    table = Table("what", "first", "last", "trend", "verdict")
    for row in report.rows:
        table.add_row(row.what, row.first, row.last, row.trend, row.verdict)
    console.print(table)
    for fault in report.faults:
        console.print(fault, markup=False, highlight=False)
    console.print("clean" if report.good else "NOT CLEAN")


if __name__ == "__main__":
    sys.exit(main())
