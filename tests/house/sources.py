"""What the house tests look at: every file that belongs to the project."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("processor", "schemas")


@cache
def project_files() -> tuple[Path, ...]:
    """Every file that is tracked, or would be if it were added now."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(
        path for name in sorted(listed.stdout.split("\0")) if name and (path := ROOT / name).is_file()
    )


@cache
def text_of(path: Path) -> str:
    """A file's text; what is no text reads as nothing."""
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return ""


def named(path: Path) -> str:
    """How a message names a file."""
    return path.relative_to(ROOT).as_posix()


def python_files(*folders: str) -> list[Path]:
    """The Python files below some of the project's folders."""
    return [
        path
        for path in project_files()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in (folders or (*PACKAGES, "tests"))
    ]


@cache
def tree_of(path: Path) -> ast.Module:
    """A module's syntax tree."""
    return ast.parse(text_of(path))


def imported_modules(path: Path) -> set[str]:
    """The dotted names that a module imports, anywhere in it (`from a import b` gives `a` and `a.b`)."""
    found: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found
