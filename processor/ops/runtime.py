"""How a command starts: its settings, read once, and its event loop."""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from processor.errors import UnsafeProduction, WrongUsage

if TYPE_CHECKING:
    from pydantic import ValidationError

    from processor.settings import Settings

T = TypeVar("T")


def load_settings(**changes: object) -> Settings:
    """The settings from the environment, with a command's own options over them (None: not given).

    Raises `WrongUsage` that names each wrong variable and what is wrong with it, never a secret's value.
    """
    from pydantic import ValidationError

    from processor.settings import Settings

    given: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        raise WrongUsage(describe_wrong_settings(error)) from None


def not_in_production(what: str) -> None:
    """Raises `errors.UnsafeProduction` where this is production: ``what`` is for trying things out."""
    if load_settings().environment == "production":
        raise UnsafeProduction(
            f"{what} is for trying things out, and this is production: unset CROUPIER_ENVIRONMENT, or set it to "
            "development or staging."
        )


def describe_wrong_settings(error: ValidationError) -> str:
    """One sentence for each wrong setting: the variable's name and what is wrong."""
    sentences = []
    for fault in error.errors(include_url=False):
        if not fault[
            "loc"
        ]:  # settings that do not go together: the sentence names them; the input is all settings
            sentences.append(f"{fault['msg'].removeprefix('Value error, ')}.")
            continue
        name = "CROUPIER_" + "_".join(str(part) for part in fault["loc"]).upper()
        shown = "" if _is_secret(name) else f" (it is {str(fault['input'])[:80]!r})"
        sentences.append(f"{name} is wrong: {fault['msg'].rstrip('.')}{shown}.")
    return " ".join(sentences)


def _is_secret(name: str) -> bool:
    return any(word in name for word in ("PASSWORD", "DSN", "SECRET", "KEY"))


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run one coroutine to its end, on uvloop where there is one."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    return uvloop.run(work)


def actor(named: str | None) -> str:
    """Who acts, for the audit trail: the name given with ``--as``, else the operating system's user."""
    if named:
        return named
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"
