"""Writes the contract for the world: JSON Schemas in `schemas/json/`, the AsyncAPI document in `docs/`.

`python -m schemas.export` writes the files, `python -m schemas.export --check` says which differ from the models and
exits 1 if any does.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from schemas.asyncapi import asyncapi_document
from schemas.json_schema import all_schemas

ROOT: Final = Path(__file__).resolve().parent.parent
JSON_FOLDER: Final = Path("schemas/json")
ASYNCAPI_FILE: Final = Path("docs/asyncapi.yaml")

_HEADING: Final = "# Generated from the models in schemas/ by `python -m schemas.export`; edit those.\n"


class _Dumper(yaml.SafeDumper):
    """Writes every part out in full: anchors are legal but hard to read."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def rendered() -> Mapping[Path, str]:
    """Every generated file by its path from the root, with its text."""
    files = {
        JSON_FOLDER / f"{name}.json": json.dumps(schema, indent=2) + "\n"
        for name, schema in all_schemas().items()
    }
    document = yaml.dump(asyncapi_document(), Dumper=_Dumper, sort_keys=False, width=110, allow_unicode=True)
    files[ASYNCAPI_FILE] = _HEADING + document
    return files


def drift(root: Path = ROOT) -> Iterator[str]:
    """A sentence for each file that is missing, differs from the models, or is left over from before."""
    files = rendered()
    for path, text in files.items():
        if not (root / path).is_file():
            yield f"{path} is missing"
        elif (root / path).read_text(encoding="utf-8") != text:
            yield f"{path} differs from the models"
    for path in sorted((root / JSON_FOLDER).glob("*.json")):
        if path.relative_to(root) not in files:
            yield f"{path.relative_to(root)} belongs to no model"


def write(root: Path = ROOT) -> int:
    """Write all files under ``root`` and return how many there are."""
    files = rendered()
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return len(files)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m schemas.export", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file differs")
    if parser.parse_args(arguments).check:
        problems = list(drift())
        for problem in problems:
            sys.stderr.write(f"{problem}: run python -m schemas.export and commit what it writes\n")
        return 1 if problems else 0
    sys.stdout.write(f"{write()} files written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
