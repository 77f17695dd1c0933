"""The one error boundary of the command line: a fault becomes a clear sentence on stderr and an exit code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from processor.errors import CroupierError
from processor.ops.console import complain

#: What a shell reports for a program that ended by Ctrl-C.
INTERRUPTED = 130


@contextmanager
def boundary() -> Iterator[None]:
    """Turn a `CroupierError` into its sentence and its exit code, Ctrl-C into a quiet end.

    Anything else is a fault of the program itself and keeps its traceback.
    """
    try:
        yield
    except CroupierError as error:
        complain(str(error))
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
