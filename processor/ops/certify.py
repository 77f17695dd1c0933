"""`croupier certify FILE…`: acceptance cases through Kafka against an installation; exit 1 when any failed."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from processor.errors import WrongUsage
from processor.ops.console import JsonOption, cell, notice, notices, output, show_json, show_table
from processor.ops.runtime import load_settings, run_async

if TYPE_CHECKING:
    from processor.devstack.certify.cases import Case, GivenRate
    from processor.devstack.certify.report import Report
    from processor.devstack.worker import Worker
    from processor.settings import Settings

app = typer.Typer(add_completion=False)

_STYLES = {"passed": "green", "failed": "bold red", "not played": "yellow"}


@dataclass(frozen=True, slots=True)
class _Options:
    """The command's options, but for how it tells of its end."""

    parallel: int
    duplicate: float
    seed: int
    kill: bool
    embedded: bool
    with_rates: bool


@app.command()
def certify(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Files of cases (YAML).")],
    parallel: Annotated[int, typer.Option(min=1, max=256, help="Cases played at the same time.")] = 16,
    duplicate: Annotated[
        float, typer.Option(min=0, max=1, metavar="SHARE", help="This share of all events is sent twice.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="The same seed sends the same events twice.")] = 1,
    kill: Annotated[
        bool, typer.Option("--kill", help="Run a worker of our own, and kill it (SIGKILL) on the way.")
    ] = False,
    embedded: Annotated[
        bool, typer.Option("--embedded", help="On a Kafka and a Postgres of our own, with a worker.")
    ] = False,
    with_rates: Annotated[
        bool,
        typer.Option(
            "--with-rates",
            help="Also play cases that bring rates of conversion, which the whole installation then has. "
            "Not on one that real money is played on.",
        ),
    ] = False,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write JUnit XML to this file.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Play acceptance cases against the running installation that the settings name, and report each.

    Players, providers and sessions are made up for the run, so it can be run again. The made-up providers are
    added to the reference data, for which CROUPIER_POSTGRES_MIGRATOR_DSN is needed. Cases that bring rates are
    only played where you say so. A worker must be running,
    but with --kill or --embedded, which bring their own.
    """
    from processor.devstack.certify.cases import load_cases

    cases = load_cases(files)
    reports = run_async(
        _play_on_ground(cases, _Options(parallel, duplicate, seed, kill, embedded, embedded or with_rates))
    )
    if junit is not None:
        _write_junit(junit, reports)
    counts = Counter(report.verdict.value for report in reports)
    if as_json:
        show_json(_summary(reports, counts))
    else:
        _show(reports, counts)
    if counts["failed"]:
        raise typer.Exit(1)


async def _play_on_ground(cases: Sequence[Case], options: _Options) -> list[Report]:
    """Play on the installation that is named, or on one of our own."""
    from processor.devstack.certify.ground import embedded_installation

    if not options.embedded:
        return await _play(load_settings(), dict(os.environ), cases, options)
    from processor.devstack.stack import settings_from

    async with embedded_installation(notice) as environment:
        return await _play(settings_from(environment), environment, cases, options)


@asynccontextmanager
async def _worker(environment: Mapping[str, str], options: _Options) -> AsyncIterator[Worker | None]:
    """A worker of our own, where one is needed."""
    from processor.devstack.certify.ground import own_worker

    if not (options.embedded or options.kill):
        yield None
        return
    async with own_worker(environment) as worker:
        yield worker


async def _play(
    settings: Settings, environment: Mapping[str, str], cases: Sequence[Case], options: _Options
) -> list[Report]:
    from processor.devstack.certify.ground import killing
    from processor.devstack.certify.plan import Plan
    from processor.devstack.certify.play import certify as play

    owner = settings.postgres_migrator_dsn
    if owner is None:
        raise WrongUsage(
            "Set CROUPIER_POSTGRES_MIGRATOR_DSN: made-up providers are added to the reference data."
        )

    async def apply(rates: Sequence[GivenRate], profiles: Mapping[str, Mapping[str, Any]]) -> None:
        await _add_rates(owner.get_secret_value(), rates)
        await _add_providers(owner.get_secret_value(), profiles)

    def obstacle(case: Case) -> str | None:
        return "brings rates of its own: --with-rates" if case.rates and not options.with_rates else None

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    async with _worker(environment, options) as worker:
        with Progress(*columns, console=notices(), transient=True) as progress:
            task = progress.add_task("Playing cases", total=len(cases))
            kill = killing(worker, progress.console.print) if worker and options.kill else None
            return await play(
                settings,
                cases,
                owner_dsn=owner.get_secret_value(),
                obstacle=obstacle,
                apply=apply,
                plan=Plan(options.parallel, options.duplicate, options.seed, kill),
                done=lambda _report: progress.advance(task),
            )


async def _add_rates(dsn: str, rates: Sequence[GivenRate]) -> None:
    """Each as of its own time; their source says that they are none."""
    from processor.ops.reference import merged_rates, rate_documents
    from processor.postgres.reference import read_documents, replace_documents

    if not rates:
        return
    now = datetime.now(UTC)
    content = [
        {
            "from": one.source,
            "to": one.target,
            "rate": one.rate,
            "at": now - timedelta(hours=one.hours_old),
            "source": "acceptance cases",
        }
        for one in rates
    ]
    documents = merged_rates(await read_documents(dsn, "rates"), rate_documents({"rates": content}))
    await replace_documents(dsn, "rates", documents, actor="croupier", why="rates of acceptance cases")


async def _add_providers(dsn: str, profiles: Mapping[str, Mapping[str, Any]]) -> None:
    from processor.devstack.reference_data import add_providers
    from processor.ops.reference import provider_documents

    documents = provider_documents({"providers": {name: dict(profile) for name, profile in profiles.items()}})
    await add_providers(dsn, documents, why="providers made up for acceptance cases")


def _write_junit(file: Path, reports: Sequence[Report]) -> None:
    from processor.devstack.certify.junit import write_junit

    try:
        write_junit(file, reports)
    except OSError as error:
        raise WrongUsage(f"{file} cannot be written: {error.strerror or error}.") from error


def _summary(reports: Sequence[Report], counts: Counter[str]) -> dict[str, Any]:
    return {
        **_counted(counts),
        "events": sum(len(report.places) for report in reports),
        "copies": sum(report.copies for report in reports),
        "cases": [_as_document(report) for report in reports],
    }


def _counted(counts: Counter[str]) -> dict[str, int]:
    return {verdict.replace(" ", "_"): counts[verdict] for verdict in _STYLES}


def _as_document(report: Report) -> dict[str, Any]:
    return {
        "id": report.case.id,
        "title": report.case.title,
        "file": report.case.file,
        "verdict": report.verdict.value,
        "reasons": report.reasons,
        "seconds": round(report.seconds, 3),
    }


def _show(reports: Sequence[Report], counts: Counter[str]) -> None:
    rows = [
        (
            report.case.id,
            report.case.title,
            cell(report.verdict.value, _STYLES[report.verdict.value]),
            "; ".join(report.reasons),
        )
        for report in reports
    ]
    show_table("", ("case", "title", "verdict", "why"), rows)
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in _STYLES if counts[verdict])
    output().print(f"\n{len(reports)} cases: {told or 'none'}.")
    events, copies = sum(len(report.places) for report in reports), sum(report.copies for report in reports)
    output().print(f"{events:,} events sent, {copies:,} of them copies.")
