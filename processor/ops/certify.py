"""`croupier certify FILE…`: acceptance cases through Kafka against this installation; exit 1 when any
failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from processor.errors import WrongUsage
from processor.ops.console import JsonOption, cell, notices, output, show_json, show_table
from processor.ops.runtime import load_settings, run_async

if TYPE_CHECKING:
    from processor.devstack.certify.cases import Case
    from processor.devstack.certify.runner import Report
    from processor.settings import Settings

app = typer.Typer(add_completion=False)

_STYLES = {"passed": "green", "failed": "bold red", "not yet covered": "yellow"}


@app.command()
def certify(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Files of cases (YAML).")],
    at_once: Annotated[int, typer.Option(min=1, max=256, help="Cases played at the same time.")] = 16,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write JUnit XML to this file.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Play acceptance cases against the running installation that the settings name, and report each.

    Players, providers and sessions are made up for the run, so it can be run again. The made-up providers are
    added to the reference data, for which CROUPIER_POSTGRES_MIGRATOR_DSN is needed. A worker must be running.
    """
    from processor.devstack.certify.cases import load_cases

    settings = load_settings()
    reports = run_async(_play(settings, load_cases(files), at_once))
    counts = Counter(report.verdict.value for report in reports)
    if junit is not None:
        _write_junit(junit, reports)
    if as_json:
        show_json(
            {"passed": 0, "failed": 0, **_counted(counts), "cases": [_as_document(one) for one in reports]}
        )
    else:
        _show(reports, counts)
    if counts["failed"]:
        raise typer.Exit(1)


async def _play(settings: Settings, cases: Sequence[Case], at_once: int) -> list[Report]:
    from processor.devstack.certify.play import certify as play

    owner = settings.postgres_migrator_dsn
    if owner is None:
        raise WrongUsage(
            "Set CROUPIER_POSTGRES_MIGRATOR_DSN: made-up providers are added to the reference data."
        )

    async def apply_profiles(profiles: Mapping[str, Mapping[str, Any]]) -> None:
        await _add_providers(owner.get_secret_value(), profiles)

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=notices(), transient=True) as progress:
        task = progress.add_task("Playing cases", total=len(cases))
        return await play(
            settings,
            cases,
            owner_dsn=owner.get_secret_value(),
            missing=_missing,
            apply_profiles=apply_profiles,
            at_once=at_once,
            done=lambda _report: progress.advance(task),
        )


def _missing(case: Case) -> list[str]:
    """What a case needs that cannot be done yet: event types first, then what its profile says."""
    from processor.domain.precedence import DECIDED_TYPES
    from processor.ops.reference import not_done_yet

    return [*sorted(case.types() - DECIDED_TYPES), *not_done_yet(case.profile)]


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
