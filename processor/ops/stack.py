"""`croupier stack`: the embedded Kafka and Postgres in the background."""

from __future__ import annotations

import asyncio
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from processor.ops.console import JsonOption, YesOption, confirmed, notice, notices, output, show_json
from processor.ops.runtime import not_in_production, run_async

app = typer.Typer(add_completion=False, no_args_is_help=True)

DirectoryOption = Annotated[
    Path | None,
    typer.Option(
        "--directory",
        "-d",
        envvar="CROUPIER_STACK_DIRECTORY",
        help="Where the stack lives and keeps its data.",
    ),
]


def _chosen(directory: Path | None) -> Path:
    from processor.devstack.places import default_stack_directory

    return (directory or default_stack_directory()).resolve()


@app.command()
def up(
    directory: DirectoryOption = None,
    heap_mib: Annotated[int, typer.Option("--kafka-heap-mib", min=128, help="Memory of the broker.")] = 512,
    secure: Annotated[
        bool,
        typer.Option("--secure", help="TLS, passwords and access rights, with its own throw-away authority."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Start Kafka and Postgres, unless they run already. The first time downloads Kafka (44 MB)."""
    from processor.devstack import background, kafka_jars

    not_in_production("The embedded stack")
    place = _chosen(directory)
    with notices().status("Looking for Apache Kafka ...") as shown:
        run_async(asyncio.to_thread(kafka_jars.class_path, shown.update))
        shown.update("Starting Kafka and Postgres ...")
        started = run_async(background.up(place, heap_mib, secure=secure))
    if as_json:
        show_json({"started": started, "directory": str(place), "environment": background.environment(place)})
        return
    output().print(f"The stack is up in {place}." if started else f"The stack in {place} was up already.")
    output().print('Point the other commands at it:  eval "$(croupier stack env)"')


@app.command()
def down(
    directory: DirectoryOption = None,
    erase: Annotated[bool, typer.Option("--erase", help="Delete its data too.")] = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Stop them. Their data stay for the next `up`, unless --erase."""
    from processor.devstack import background

    place = _chosen(directory)
    erase = erase and confirmed(f"Delete everything in {place}?", yes=yes)
    with notices().status("Stopping Kafka and Postgres ..."):
        stopped = run_async(background.down(place))
        erased = erase and background.erase(place)
    if as_json:
        show_json({"stopped": stopped, "erased": erased, "directory": str(place)})
        return
    output().print(f"The stack in {place} is down." if stopped else f"No stack was running in {place}.")
    if erased:
        output().print("Its data are deleted.")


@app.command()
def status(directory: DirectoryOption = None, as_json: JsonOption = False) -> None:
    """Whether they run and answer; exit 1 if not."""
    from processor.devstack import background

    found = run_async(background.status(_chosen(directory)))
    if as_json:
        show_json({**asdict(found), "healthy": found.healthy})
    else:
        output().print(f"{found.state}  {found.directory}")
        for name, problem in (("Kafka", found.kafka), ("Postgres", found.postgres)):
            if found.state == "up":
                output().print(f"{name:9} {problem or 'answers'}")
    if not found.healthy:
        raise typer.Exit(1)


@app.command()
def env(directory: DirectoryOption = None, as_json: JsonOption = False) -> None:
    """Print the variables that point everything else at the stack."""
    from processor.devstack import background

    place = _chosen(directory)
    variables = background.environment(place)
    if as_json:
        show_json(variables)
        return
    if output().is_terminal:
        notice('To set them in this shell:  eval "$(croupier stack env)"')
    for name, value in variables.items():
        typer.echo(f"export {name}={shlex.quote(value)}")
