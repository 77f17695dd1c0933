"""`croupier audit`: proves the books, one line per proof; exit 1 with the first fault of each kind."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from processor.errors import WrongUsage
from processor.ops.console import AsOption, JsonOption, notices, output, readable, show_json
from processor.ops.runtime import actor, load_settings, run_async

if TYPE_CHECKING:
    from processor.ops.repair import Repaired
    from processor.ops.results_audit import Missing
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

    @property
    def only_missing_results(self) -> bool:
        """Whether nothing is wrong but what a repair of results makes up for."""
        made_up_for = {"results.first_published", "results.batches", "results.sequences"}
        return all(proof.fault is None or proof.name in made_up_for for proof in self.proofs)


@app.command()
def audit(
    full: Annotated[
        bool, typer.Option("--full", help="Prove everything again, not only what came since the last audit.")
    ] = False,
    results: Annotated[
        bool,
        typer.Option("--results", help="Also the topics: read them whole and compare with what is stored."),
    ] = False,
    repair: Annotated[
        str | None,
        typer.Option(metavar="results", help="results: have the lanes tell missing first results again."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why it is repaired, for the audit trail.")] = "",
    wait_seconds: Annotated[float, typer.Option(min=0, help="How long a repair waits for the lanes.")] = 30.0,
    as_: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Prove the books on the live system. Exit 1 names the first fault of each kind.

    What an earlier audit proved is not proved again unless --full says so: what was proved can be tampered with.
    Nothing but missing first results is ever repaired, and only when --repair says so.
    """
    settings = load_settings()
    if repair is not None:
        _must_be_a_repair(repair, reason)
    audited, missing = run_async(
        prove(settings, full=full, with_results=results or repair is not None, quiet=as_json)
    )
    repaired = None
    if repair is not None and missing:
        from processor.ops.repair import repair as repair_results

        who = actor(as_)
        repaired = run_async(
            repair_results(settings, missing, actor=who, why=reason, wait_seconds=wait_seconds)
        )
    if as_json:
        show_json({**asdict(audited), **({} if repaired is None else {"repaired": asdict(repaired)})})
    else:
        _show(audited)
        if repaired is not None:
            _show_repaired(repaired)
    if (
        repaired is not None
        and not repaired.waiting
        and not repaired.refused
        and audited.only_missing_results
    ):
        return
    if not audited.clean:
        raise typer.Exit(1)


def _must_be_a_repair(repair: str, reason: str) -> None:
    if repair != "results":
        raise WrongUsage(
            f"--repair {repair}: only results can be made up for; books are never repaired by a program."
        )
    if not reason.strip():
        raise WrongUsage("Say with --reason why results are told again; it is kept in the audit trail.")


def _show_repaired(repaired: Repaired) -> None:
    output().print(f"Results told again: {repaired.told_again}.")
    if repaired.waiting:
        output().print(f"Requests that wait for a worker: {repaired.waiting}.")
    for refused in repaired.refused:
        output().print(f"Not told again: {refused}.", markup=False)


async def run_audit(settings: Settings, *, full: bool, with_results: bool, quiet: bool = True) -> Audited:
    """Carry out an audit, with a progress bar on standard error unless ``quiet``. Raises `errors.Unreachable`."""
    audited, _ = await prove(settings, full=full, with_results=with_results, quiet=quiet)
    return audited


async def prove(
    settings: Settings, *, full: bool, with_results: bool, quiet: bool = True
) -> tuple[Audited, list[Missing]]:
    """An audit, and the outcomes whose first result the topic lacks. Raises `errors.Unreachable`."""
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
    return summarize(books, topics), [] if topics is None else topics.missing


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
