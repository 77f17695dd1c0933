"""What commands print with: text that cannot play tricks on a terminal, tables, JSON, and questions."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from processor.telemetry.escapes import terminal_safe

#: Columns of a table that goes into a file or a pipe.
_FILE_WIDTH = 200

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text for people.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]
AsOption = Annotated[
    str | None, typer.Option("--as", help="Who you are, for the audit trail. Default: your user name.")
]


def output() -> Console:
    """Standard output, for people; wide where it is no terminal. Made anew, so that redirection is respected."""
    terminal = sys.stdout.isatty()
    return Console(highlight=False, soft_wrap=not terminal, width=None if terminal else _FILE_WIDTH)


def notices() -> Console:
    """Standard error: progress, questions and complaints, so that standard output stays clean for pipes."""
    return Console(stderr=True, highlight=False, soft_wrap=not sys.stderr.isatty())


def complain(sentence: str) -> None:
    """Say on stderr what went wrong."""
    notices().print(Text("croupier: ", style="bold red").append(Text(readable(sentence), style="default")))


def notice(sentence: str, style: str = "dim") -> None:
    """Say something on stderr that is not the command's answer."""
    notices().print(Text(readable(sentence), style=style))


def readable(text: str, *, lines: bool = False) -> str:
    """The text with control characters and lone surrogates written out (``\\x1b``), so that a terminal shows
    them and obeys none. ``lines`` keeps line breaks."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() or (lines and letter == "\n") else repr(letter)[1:-1]
        for letter in text
    )


def cell(value: object, style: str = "") -> Text:
    """One table cell: never markup, never control characters."""
    return Text("" if value is None else readable(str(value)), style=style)


def show_json(value: Any) -> None:
    """Print one JSON document."""
    typer.echo(terminal_safe(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=_plain).decode()))


def show_json_line(value: Any) -> None:
    """Print one JSON document on one line, at once (for streams)."""
    typer.echo(terminal_safe(orjson.dumps(value, default=_plain).decode()))
    sys.stdout.flush()


def _plain(value: object) -> object:
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).decode("utf-8", "backslashreplace")
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return str(value)


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table for people; a column whose name starts with ``>`` stands right-aligned."""
    table = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for name in columns:
        right = name.startswith(">")
        table.add_column(name.lstrip(">"), justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(value if isinstance(value, Text) else cell(value) for value in row))
    output().print(table)


def confirmed(question: str, *, yes: bool) -> bool:
    """Ask on stderr, unless ``yes``; where nobody can answer (no terminal) the answer is no."""
    if yes:
        return True
    if not sys.stdin.isatty():
        notice("Nothing changed: add --yes to do it without being asked.", style="yellow")
        return False
    return typer.confirm(question, err=True)
