"""`croupier audit`: proves the books, one line per proof; exit 1 with the first fault of each kind."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from processor.ops.console import JsonOption, notices, output, readable, show_json
from processor.ops.runtime import load_settings, run_async

if TYPE_CHECKING:
    from processor.ops.topics_proof import TopicsProved
    from processor.postgres.audit_report import AuditReport
    from processor.settings import Settings

app = typer.Typer(add_completion=False)


@dataclass(frozen=True, slots=True)
class ProofLine:
    """One proof: a stable name, what it says, over how many things, how many faults (None: not counted), the first."""

    name: str
    sentence: str
    examined: int
    fault: str | None
    faults: int | None = None


@dataclass(frozen=True, slots=True)
class Audited:
    """The whole answer of one audit."""

    clean: bool
    incremental: bool
    proofs: list[ProofLine]


@app.command()
def audit(
    full: Annotated[
        bool, typer.Option("--full", help="Prove everything again, not only what came since the last audit.")
    ] = False,
    results: Annotated[
        bool,
        typer.Option("--results", help="Also the topics: read them whole and compare with what is stored."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Prove the books on the live system. Exit 1 names the first fault of each kind.

    What an earlier audit proved is not proved again unless --full says so: what was proved can be tampered with.
    """
    audited = run_async(run_audit(load_settings(), full=full, with_results=results, quiet=as_json))
    if as_json:
        show_json(asdict(audited))
    else:
        _show(audited)
    if not audited.clean:
        raise typer.Exit(1)


async def run_audit(settings: Settings, *, full: bool, with_results: bool, quiet: bool = True) -> Audited:
    """Carry out an audit, with a progress bar on standard error unless ``quiet``. Raises `errors.Unreachable`."""
    from processor.ops.topics_proof import prove_topics
    from processor.postgres.audit import audit as prove_books

    replica = settings.postgres_replica_dsn
    with _Bars(quiet=quiet) as bars:
        books = await prove_books(
            settings.postgres_dsn.get_secret_value(),
            full=full,
            progress=bars.tell,
            replica_dsn=None if replica is None else replica.get_secret_value(),
        )
        topics = await prove_topics(settings, bars.tell) if with_results else None
    return summarize(books, topics)


def summarize(books: AuditReport, topics: TopicsProved | None) -> Audited:
    """Both parts as one list of proofs."""
    proofs = [ProofLine(one.name, one.sentence, one.examined, one.fault) for one in books.proofs]
    if topics is not None:
        proofs += _of_topics(topics)
    return Audited(all(proof.fault is None for proof in proofs), books.incremental, proofs)


def _of_topics(topics: TopicsProved) -> list[ProofLine]:
    from processor.ops.results_shown import Proof

    examined = {
        Proof.FIRST_PUBLISHED: topics.outcomes,
        Proof.SEALS: topics.batches,
        Proof.BATCHES: topics.batches,
    }
    records = topics.results + topics.dead_letters
    return [
        ProofLine(
            f"results.{proof.name.lower()}",
            proof.value,
            examined.get(proof, records),
            topics.faults.first.get(proof),
            topics.faults.counts[proof],
        )
        for proof in Proof
    ]


class _Bars:
    """Progress bars on standard error, one for each thing that is done."""

    def __init__(self, *, quiet: bool) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        console = notices()
        self._progress = Progress(
            *columns, console=console, transient=True, disable=quiet or not console.is_terminal
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> _Bars:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def tell(self, what: str, done: int, total: int | None) -> None:
        """How far something is."""
        task = self._tasks.get(what)
        if task is None:
            task = self._tasks[what] = self._progress.add_task(what, total=total)
        self._progress.update(task, completed=done, total=total)


def _show(audited: Audited) -> None:
    for proof in audited.proofs:
        mark, style = ("ok   ", "green") if proof.fault is None else ("FAULT", "bold red")
        line = Text(mark, style=style).append(
            f" {readable(proof.sentence)} ({proof.examined})", style="default"
        )
        output().print(line)
        if proof.fault is not None:
            more = "" if not proof.faults or proof.faults == 1 else f" (the first of {proof.faults})"
            output().print(Text(f"      {readable(proof.fault)}{more}", style="red"))
    if audited.clean:
        scope = "since the last audit" if audited.incremental else "from the beginning"
        output().print(Text(f"The books are clean, proved {scope}.", style="bold green"))
    else:
        output().print(Text("The books are NOT clean.", style="bold red"))
