"""`croupier demo`: the whole thing on this machine, shown as it happens, summed up for people or as JSON."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from processor.ops.console import JsonOption, notices, output, readable, show_json_line
from processor.ops.runtime import not_in_production, run_async

if TYPE_CHECKING:
    from processor.devstack.demo_report import DemoReport, Numbers

app = typer.Typer(add_completion=False)


@app.command()
def demo(
    seconds: Annotated[float, typer.Option(min=1, help="How long traffic is sent.")] = 30.0,
    rate: Annotated[float, typer.Option(min=1, help="Events per second.")] = 500.0,
    players: Annotated[int, typer.Option(min=1, help="How many players play.")] = 2000,
    seed: Annotated[int, typer.Option(help="The same seed plays the same events.")] = 1,
    kill: Annotated[bool, typer.Option(help="Kill a worker on the way and start it again.")] = True,
    external: Annotated[
        bool, typer.Option("--external", help="On the servers that the environment names, not on our own.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Start Kafka, Postgres and workers, play traffic with every kind of trouble in it, and prove it right.

    It ends by itself, in about a minute. Exit code 0 only if the audit is clean, every event has exactly one
    answer, and every balance is what a second, naive wallet says.
    """
    from processor.devstack.demo import play_demo
    from processor.devstack.demo_report import DemoPlan

    not_in_production("The demo")
    plan = DemoPlan(seconds, rate, players, seed, kill, dict(os.environ) if external else None)
    with LiveScreen() as screen:
        report = run_async(play_demo(plan, screen))
    _show_summary(report, external=external, on_stderr=as_json)
    if as_json:
        show_json_line(report.as_document())
    if report.faults:
        raise typer.Exit(1)


class LiveScreen:
    """Stages as lines; the numbers as a small table that moves, where there is a terminal. On standard error."""

    def __init__(self) -> None:
        self._console = notices()
        self._moves = sys.stderr.isatty()
        self._live = Live(console=self._console, refresh_per_second=4, transient=True)

    def __enter__(self) -> LiveScreen:
        if self._moves:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._moves:
            self._live.stop()

    def say(self, sentence: str) -> None:
        """A stage."""
        self._console.print(Text("• ", style="cyan").append(readable(sentence)))

    def show(self, numbers: Numbers) -> None:
        """The numbers now; nothing where they cannot move."""
        if self._moves:
            self._live.update(_numbers_table(numbers))


def _numbers_table(numbers: Numbers) -> Group:
    table = Table(box=None, pad_edge=False, header_style="dim")
    cells = {
        "sent": f"{numbers.sent:,}/{numbers.to_send:,}",
        "answers/s": f"{numbers.rate:,.0f}",
        "accepted": f"{numbers.accepted:,}",
        "rejected": f"{numbers.rejected:,}",
        "replayed": f"{numbers.replayed:,}",
        "dead-lettered": f"{numbers.dead_letters:,}",
        "parked": f"{numbers.parked:,}",
        "lag": f"{numbers.lag:,}",
        "p50 ms": _milliseconds(numbers.p50_ms),
        "p99 ms": _milliseconds(numbers.p99_ms),
    }
    for name in cells:
        table.add_column(name, justify="right", min_width=8)
    table.add_row(*cells.values())
    return Group(Text(), table)


def _milliseconds(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


def _show_summary(report: DemoReport, *, external: bool, on_stderr: bool) -> None:
    console = notices() if on_stderr else output()
    counted = report.as_document()
    console.print()
    console.print(
        f"[bold]{report.events:,}[/] events of {report.players:,} players in {report.seconds:.0f} seconds "
        f"({counted['events_per_second']:,.0f} per second, seed {report.seed})."
    )
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(justify="right", style="bold")
    table.add_column()
    table.add_row(f"{report.accepted:,}", "accepted")
    table.add_row(f"{report.rejected:,}", f"rejected: {_listed(report.codes, leave_out='OK')}")
    table.add_row(f"{report.replayed:,}", "repeats of known events, answered and not applied again")
    table.add_row(f"{counted['dead_letters']:,}", f"dead letters: {_listed(report.letters)}")
    table.add_row(f"{report.most_parked:,}", "waited at most at one time, for a bet or between attempts")
    console.print(table)
    console.print(f"Half of the answers came within {_milliseconds(report.p50_ms)} ms, 99 % within "
                  f"{_milliseconds(report.p99_ms)} ms{_kill_note(report)}.")  # fmt: skip
    _show_verdict(report, console)
    _show_ways_on(console, external=external)


def _kill_note(report: DemoReport) -> str:
    if not report.killed:
        return ""
    return f" ({_milliseconds(report.p99_with_kill_ms)} ms counting the time in which a worker lay dead)"


def _listed(counts: dict[str, int], leave_out: str = "") -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if name != leave_out) or "none"


def _show_verdict(report: DemoReport, console: Console) -> None:
    if not report.faults:
        console.print(
            f"[bold green]The audit is clean[/]: every event has exactly one answer, and all "
            f"{report.balances_compared:,} balances are what a second, naive wallet says."
        )
        return
    console.print("[bold red]Not clean:[/]")
    for fault in report.faults:
        console.print(Text("  ✗ ", style="red").append(readable(fault)))
    console.print(f"The workers' logs are in {report.logs}.")


def _show_ways_on(console: Console, *, external: bool) -> None:
    console.print("\nTo look further:")
    if not external:
        console.print('  croupier stack up && eval "$(croupier stack env)"   a stack that stays')
        console.print("  croupier demo --external                             the same play on it, then:")
    console.print(
        "  croupier history PLAYER · balance PLAYER · dead-letters list · parked list · audit --results"
    )
