"""docs/signing.md: every recipe in it gives the signatures of the test vectors, run as it is written."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from schemas import signing
from schemas.signing import SIGNATURE_HEADER, replay_signature, sign, signed_headers, verify

DOCS = Path(__file__).parents[3] / "docs"
TEXT = (DOCS / "signing.md").read_text()

_GO_MAIN = """
import (
	"fmt"
	"os"
)

func main() {
	for at := 1; at < len(os.Args); at += 3 {
		signature, _ := sign(os.Args[at], []byte(os.Args[at+1]), []byte(os.Args[at+2]))
		fmt.Println(signature)
	}
}
"""
_NODE_MAIN = """
const words = process.argv.slice(1);
for (let at = 0; at < words.length; at += 3) console.log(sign(words[at], words[at + 1], words[at + 2]));
"""


class Vector(NamedTuple):
    """One entry of docs/examples/signing-vectors.json."""

    name: str
    secret_hex: str
    value: str
    x_timestamp: str
    x_signature: str


VECTORS = [Vector(**entry) for entry in json.loads((DOCS / "examples" / "signing-vectors.json").read_text())]
each_vector = pytest.mark.parametrize("vector", VECTORS, ids=[vector.name for vector in VECTORS])


def recipe(language: str) -> str:
    """The document's block in this language."""
    (block,) = re.findall(rf"^```{language}\n(.+?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    return str(block)


def words_of_all_vectors() -> list[str]:
    return [word for vector in VECTORS for word in vector[1:4]]


@each_vector
def test_python_signs_and_believes_each_vector(vector: Vector) -> None:
    secret, value, timestamp = (
        bytes.fromhex(vector.secret_hex),
        vector.value.encode(),
        vector.x_timestamp.encode(),
    )
    headers = dict(signed_headers("k", secret, value, at_ms=int(vector.x_timestamp)))
    assert headers == {"x-key-id": b"k", "x-timestamp": timestamp, "x-signature": vector.x_signature.encode()}
    assert verify(secret, value, timestamp, vector.x_signature.encode())


@each_vector
def test_the_shell_recipe_signs_each_vector(vector: Vector, tmp_path: Path) -> None:
    (tmp_path / "event.json").write_text(vector.value)
    told = {"SECRET": vector.secret_hex, "KEY_ID": "acme-1", "TIMESTAMP": vector.x_timestamp}
    said = subprocess.run(
        ["sh", "-eu", "-c", recipe("sh")],
        cwd=tmp_path,
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said.splitlines() == [
        "x-key-id: acme-1",
        f"x-timestamp: {vector.x_timestamp}",
        f"x-signature: {vector.x_signature}",
    ]


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not on this machine")
def test_the_node_recipe_signs_all_vectors() -> None:
    said = subprocess.run(
        ["node", "-e", recipe("js") + _NODE_MAIN, "--", *words_of_all_vectors()],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said.split() == [vector.x_signature for vector in VECTORS]


@pytest.mark.long
@pytest.mark.timeout(900)  # a first build compiles Go's own library, too
@pytest.mark.skipif(shutil.which("go") is None, reason="Go is not on this machine")
def test_the_go_recipe_signs_all_vectors(tmp_path: Path) -> None:
    (tmp_path / "sign.go").write_text(recipe("go"))
    (tmp_path / "main.go").write_text("package main\n" + _GO_MAIN)
    said = subprocess.run(
        ["go", "run", "main.go", "sign.go", *words_of_all_vectors()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said.split() == [vector.x_signature for vector in VECTORS]


def test_the_vector_in_the_text_is_the_first_of_the_file() -> None:
    shown = dict(line.split(None, 1) for line in recipe("text").splitlines())
    assert shown == {name: text for name, text in VECTORS[0]._asdict().items() if name != "name"}


@each_vector
def test_nothing_but_the_very_signature_is_believed(vector: Vector) -> None:
    secret, value, timestamp = (
        bytes.fromhex(vector.secret_hex),
        vector.value.encode(),
        vector.x_timestamp.encode(),
    )
    signature = vector.x_signature.encode()
    assert not verify(secret, value + b" ", timestamp, signature)
    assert not verify(secret, value, timestamp + b"0", signature)
    assert not verify(secret + b"\1", value, timestamp, signature)
    wrongs = (b"", signature.upper(), signature[:-1], signature + b"0", b"\xff" * 64)
    assert not any(verify(secret, value, timestamp, wrong) for wrong in wrongs)


def test_a_short_secret_signs_nothing() -> None:
    with pytest.raises(ValueError, match="at least 32 bytes, this one has 31"):
        signed_headers("k", b"x" * 31, b"{}")


def test_the_replay_of_a_letter_is_signed_over_its_id_and_its_bytes() -> None:
    secret = bytes(32)
    signatures = {
        replay_signature(secret, "1-0-7", b"{}"),
        replay_signature(secret, "1-0-8", b"{}"),
        replay_signature(secret, "1-0-7", b"{ }"),
        sign(secret, b"1-0-7{}", b""),
        dict(signed_headers("k", secret, b"{}"))[SIGNATURE_HEADER],
    }
    assert len(signatures) == 5


def test_the_module_needs_nothing_but_the_standard_library() -> None:
    tree = ast.parse(Path(signing.__file__).read_text())
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {module.split(".")[0] for module in modules} <= sys.stdlib_module_names
