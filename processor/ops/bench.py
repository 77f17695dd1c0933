"""`croupier bench`: throughput and latency of the product and of a bare loop, side by side, in one run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from processor.ops.console import JsonOption, notices, output, readable, show_json
from processor.ops.runtime import not_in_production, run_async

if TYPE_CHECKING:
    from processor.devstack.bench_report import BenchReport
    from processor.devstack.bench_signed import SignedReport

app = typer.Typer(add_completion=False)


@app.command()
def bench(
    pairs: Annotated[int, typer.Option(min=1, help="Pairs of (bare, product); the median counts.")] = 5,
    events: Annotated[
        int, typer.Option(min=1000, help="Bets and wins in the backlog of each drain.")
    ] = 100_000,
    players: Annotated[int, typer.Option(min=100, help="Players who bet and win.")] = 8_000,
    seconds: Annotated[
        float, typer.Option(min=1, help="How long each rate is held; the first three tenths do not count.")
    ] = 10.0,
    signed: Annotated[
        bool, typer.Option("--signed", help="Only this: what verifying signatures costs of the drain rate.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure this program against a loop that only consumes, publishes transactionally and commits offsets.

    On an embedded stack of its own, the same records for both. A drain is measured from the first to the last
    result; latency is from the event's broker time until a read_committed consumer has the result.
    """
    from processor.devstack.bench import run_bench
    from processor.devstack.bench_report import BenchPlan
    from processor.devstack.bench_signed import MOST_COST, run_signed_bench

    not_in_production("The bench's embedded stack")
    plan = BenchPlan(pairs, events, players, seconds, warm_up_seconds=seconds * 0.3)
    with notices().status("Measuring; this takes some minutes.") as status:

        def say(sentence: str) -> None:
            status.console.print(Text("• ", style="cyan").append(readable(sentence)))

        if signed:
            cost = run_async(run_signed_bench(plan, say))
        else:
            report = run_async(run_bench(plan, say))
    if signed:
        _show_cost(cost, notices() if as_json else output())
        if as_json:
            show_json(cost.as_document())
        if cost.cost > MOST_COST:
            raise typer.Exit(1)
        return
    # With --json the table is for whoever watches, and standard output for whoever reads.
    _show(report, notices() if as_json else output())
    if as_json:
        show_json(report.as_document())


def _show_cost(report: SignedReport, console: Console) -> None:
    found = report.as_document()
    console.print(
        f"Verifying {found['signed_per_second']:,} events per second, not looking {found['unsigned_per_second']:,} "
        f"(medians of {report.plan.pairs} pairs): verification costs {report.cost:.1%} of the drain rate."
    )


def _show(report: BenchReport, console: Console) -> None:
    rows: list[tuple[str, ...]] = [
        (
            f"drain of {report.plan.events:,}, per second",
            f"{report.bare_per_second:,.0f}",
            f"{report.product_per_second:,.0f}",
            f"{report.ratio:.2f}",
        )
    ]
    for rate in report.plan.rates:
        bare, product = report.bare(rate), report.product(rate)
        for name, ours, theirs in (
            ("p50", product.p50_ms, bare.p50_ms),
            ("p99", product.p99_ms, bare.p99_ms),
        ):
            rows.append(
                (f"{name} at {rate:,} per second, ms", f"{theirs:.1f}", f"{ours:.1f}", f"{ours / theirs:.2f}")
            )
    table = Table(
        title=f"Medians of {report.plan.pairs} pairs", title_justify="left", box=None, pad_edge=False
    )
    for name in ("what", "bare loop", "product", "product / bare"):
        table.add_column(name, justify="left" if name == "what" else "right")
    for row in rows:
        table.add_row(*row)
    console.print(table)
    console.print(
        f"\nThe bare loop with the least a ledger can do made {report.least_per_second:,.0f} per second; the product "
        f"made {report.ratio_to_least:.2f} of that."
    )
    memory = report.memory
    flat = "flat" if memory.flat else "not flat"
    console.print(
        f"The worker held {memory.peak_mib:.0f} MiB at most; over a drain it grew by "
        f"{(memory.growth - 1) * 100:.0f} % from the first quarter to the end ({flat})."
    )
