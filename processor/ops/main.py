"""The console script `croupier`: the table of commands, each loaded only when it is called."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import NamedTuple

import typer

from processor.ops.boundary import boundary

OPERATE = "Operate"
LOOK = "Look"
REPAIR = "Put right"
TRY = "Try"


class Command(NamedTuple):
    """One word of the command line: the module that has it (``app`` or ``command``), and its line of help."""

    name: str
    module: str
    panel: str
    help: str


COMMANDS = (
    Command("demo", "demo", TRY, "The whole thing on this machine: stack, worker, traffic, trouble, audit."),
    Command("stack", "stack", TRY, "The embedded Kafka and Postgres: up, down, status, env."),
    Command("bench", "bench", TRY, "Throughput and latency, side by side with a bare consume-produce loop."),
    Command("certify", "certify", TRY, "Play acceptance cases through Kafka against this installation."),
    Command("migrate", "migrate", OPERATE, "Bring the database to the schema that this program needs."),
    Command("topics", "topics", OPERATE, "The three topics: create, check, grow."),
    Command("access", "access", OPERATE, "Who may come to the cluster, and do what: apply FILE, show."),
    Command("run", "run", OPERATE, "A worker: reads events, keeps the ledger, publishes results."),
    Command("providers", "providers", OPERATE, "Provider profiles: list, apply FILE."),
    Command("games", "games", OPERATE, "Games of providers that list theirs: list, apply FILE."),
    Command("currencies", "currencies", OPERATE, "Currencies beside ISO 4217's: list, apply FILE."),
    Command("rates", "rates", OPERATE, "Rates of conversion: list, apply FILE."),
    Command("keys", "keys", OPERATE, "Senders' keys: new, list, rotate, revoke, check."),
    Command("wallet", "wallet", OPERATE, "The wallet's policy: show, apply FILE."),
    Command("send", "send", LOOK, "Publish JSON lines as events."),
    Command("credit", "credit", TRY, "Test money for a player; refused in production."),
    Command("tail", "tail", LOOK, "Follow results or dead letters."),
    Command("balance", "balance", LOOK, "A player's balances by currency and pool."),
    Command("history", "history", LOOK, "A player's transactions with their legs, newest first."),
    Command("sessions", "sessions", LOOK, "A player's sessions with duration and net position."),
    Command(
        "rounds", "rounds", LOOK, "A round's whole story: show ROUND; rounds not settled in time: stuck."
    ),
    Command("discrepancies", "discrepancies", LOOK, "Transfers out whose provider told another balance."),
    Command("audit", "audit", LOOK, "Prove the books; exit 1 if anything is wrong."),
    Command(
        "dead-letters",
        "dead_letters",
        REPAIR,
        "Events set aside: list, show, replay, edit, discard, export, import.",
    ),
    Command("parked", "parked", REPAIR, "Events that wait: list, show, retry, discard."),
    Command("lanes", "lanes", REPAIR, "Lanes and how far they are: list, show, resume, resize, settle, …"),
    Command("players", "players", REPAIR, "Where a player lives: move."),
)

#: A stub takes whatever words follow, `--help` too, and hands them to the real command.
_PASS_ON = {"ignore_unknown_options": True, "allow_extra_args": True, "allow_interspersed_args": False}


def load(command: Command) -> typer.Typer:
    """Import a command's module and give its application: its ``app``, or its ``command`` made into one."""
    module = import_module(f"processor.ops.{command.module}")
    found = getattr(module, "app", None)
    if isinstance(found, typer.Typer):
        return found
    single = typer.Typer(add_completion=False)
    single.command(command.name, help=command.help)(module.command)
    return single


def _keep_the_client_quiet() -> None:
    """Without a handler, Python writes a library's warnings to standard error, before our own sentence. `run` sets up
    handlers of its own (`telemetry.logging`), which still get every line."""
    client = logging.getLogger("aiokafka")
    if not client.handlers:
        client.addHandler(logging.NullHandler())


def _call(command: Command, words: list[str]) -> None:
    _keep_the_client_quiet()
    with boundary():
        real = typer.main.get_command(load(command))
        code = real.main(args=words, prog_name=f"croupier {command.name}", standalone_mode=False)
    if isinstance(code, int) and code != 0:
        raise typer.Exit(code)


def _register(app: typer.Typer, command: Command) -> None:
    @app.command(
        command.name,
        help=command.help,
        rich_help_panel=command.panel,
        add_help_option=False,
        context_settings=_PASS_ON,
    )
    def stub(context: typer.Context) -> None:
        _call(command, context.args)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("croupier"))
        raise typer.Exit


def build() -> typer.Typer:
    """The whole command line as one application."""
    app = typer.Typer(
        help="Croupier: wallet events in, an exactly-once double-entry ledger, results out.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        epilog="Settings come from CROUPIER_… variables; `croupier stack env` prints the embedded stack's.",
    )

    @app.callback()
    def root(
        version: bool = typer.Option(
            False, "--version", callback=_show_version, is_eager=True, help="Print the version."
        ),
    ) -> None:
        del version

    for command in COMMANDS:
        _register(app, command)
    return app


def main() -> None:
    """Run the command line with the process's own words; ends the process with the command's exit code."""
    build()(prog_name="croupier")
