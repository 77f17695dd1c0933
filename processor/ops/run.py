"""`croupier run`: one worker, or a parent that watches several. SIGTERM drains and exits 0."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from processor.errors import UnsafeProduction
from processor.ops.runtime import load_settings, run_async

if TYPE_CHECKING:
    from processor.settings import Settings

app = typer.Typer(add_completion=False)


@app.command()
def run(
    lanes: Annotated[
        int | None,
        typer.Option(help="Lanes of the first layout; a stored layout with another number is refused."),
    ] = None,
    processes: Annotated[int | None, typer.Option(help="Worker processes to start and watch.")] = None,
    supervised: Annotated[bool, typer.Option("--supervised", hidden=True)] = False,
) -> None:
    """Read events, keep the ledger, publish results, until SIGTERM or SIGINT; then drain and exit 0.

    It checks first that Kafka and Postgres answer, that the database is migrated, and that topics and lane
    layout are as they must be. Logs go to standard error; /livez, /readyz and /metrics are served over HTTP.
    """
    settings = load_settings(lanes=lanes, processes=processes)
    if settings.environment == "production":
        refuse_playthings(settings, os.environ)
    if settings.processes > 1 and not supervised:
        from processor.ops.supervisor import supervise

        code = run_async(supervise(settings))
        if code:
            raise typer.Exit(code)
        return
    run_async(work(settings, supervised=supervised))


def refuse_playthings(settings: Settings, environment: Mapping[str, str]) -> None:
    """Raises `errors.UnsafeProduction` where a worker would run on the embedded stack, or with trouble on order."""
    from processor.devstack.installation import is_embedded
    from processor.devstack.trouble import VARIABLE

    if environment.get(VARIABLE):
        raise UnsafeProduction(f"This is production, and {VARIABLE} orders trouble: unset it.")
    if is_embedded(settings.kafka_bootstrap, settings.postgres_dsn.get_secret_value()):
        raise UnsafeProduction(
            "This is production, and the settings name the embedded stack: set CROUPIER_KAFKA_BOOTSTRAP and "
            "CROUPIER_POSTGRES_DSN to servers of your own."
        )


async def work(settings: Settings, *, supervised: bool = False) -> None:
    """One worker, until it is told to stop. Raises `CroupierError` where it cannot start."""
    from processor.bootstrap import serve
    from processor.devstack.trouble import trouble_from
    from processor.telemetry.logging import configure_logging, logger
    from processor.telemetry.watch import Watch

    trouble = trouble_from(os.environ)
    configure_logging(settings)
    log = logger()
    stopping = asyncio.Event()
    stop_on_signals(stopping)
    if supervised:
        stop_with_parent(stopping)
    watch = Watch(settings)
    calm_the_collector()
    async with watch.serving(settings):
        log.info("The worker starts.", action="worker.start", group=settings.group)
        if trouble is None:
            await serve(settings, stopping=stopping, observer=watch)
        else:
            await serve(settings, stopping=stopping, observer=watch, hook=trouble.hook, clock=trouble.clock)
    log.info("The worker has drained and ends.", action="worker.end")


def calm_the_collector() -> None:
    """Let the cyclic garbage collector pass over what lives for ever, and come seldom.

    A batch makes tens of thousands of objects and no cycles: reference counts free them all, and the collector's
    walks through them cost a third of the worker's time (measured: 3,500 events a second with its defaults, 5,100
    so; memory stays flat, since the few cycles of the clients are still collected).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def stop_on_signals(stopping: asyncio.Event) -> None:
    """Let SIGTERM and SIGINT ask for a drain; asking again changes nothing."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)


def stop_with_parent(stopping: asyncio.Event) -> None:
    """Ask for a drain when standard input closes: the parent holds its other end for as long as it lives."""
    loop = asyncio.get_running_loop()
    parent = sys.stdin.fileno()

    def look() -> None:
        if not os.read(parent, 4096):
            loop.remove_reader(parent)
            stopping.set()

    loop.add_reader(parent, look)
