"""The parts of the embedded stack that need no server to be tried."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from processor.devstack import databases, guardian
from processor.devstack.account import Account
from processor.devstack.free_ports import free_ports, is_free
from processor.devstack.installation import DirectoryTaken, DirectoryUnreadable, Installation, StackDirectory
from processor.devstack.kafka_jars import JarsRefused, check, known_digests


def _jar(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_jars_are_taken_only_if_each_is_known_and_unchanged(tmp_path: Path) -> None:
    jar = _jar(tmp_path, "a.jar", b"good")
    digests = {"a.jar": hashlib.sha256(b"good").hexdigest()}
    check([jar], digests)

    with pytest.raises(JarsRefused, match=r"b\.jar is not known"):
        check([jar, _jar(tmp_path, "b.jar", b"stranger")], digests)
    with pytest.raises(JarsRefused, match=r"a\.jar is missing"):
        check([], digests)
    jar.write_bytes(b"changed")
    with pytest.raises(JarsRefused, match="is not the jar it must be"):
        check([jar], digests)


def test_the_broker_itself_is_among_the_known_jars() -> None:
    assert "kafka_2.13-4.4.0.jar" in known_digests()


def test_free_ports_are_different_and_free() -> None:
    ports = free_ports(5)

    assert len(set(ports)) == 5
    assert all(is_free(port) for port in ports)


def test_the_guardian_knows_what_is_left_when_its_parent_is_gone() -> None:
    lines = ["watch 10 3\n", "watch 11 9\n", "erase a b\n", "forget 10\n", "erase c\n", "keep c\n"]

    assert guardian.follow(lines) == ({11: 9}, {"a b"})


def test_the_guardian_ends_a_process_that_does_not_listen() -> None:
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)"
    process = subprocess.Popen(
        [sys.executable, "-c", stubborn], stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    process.stdout.readline()

    guardian.GRACE_SECONDS, kept = 0.2, guardian.GRACE_SECONDS
    try:
        guardian.end({process.pid: signal.SIGTERM})
    finally:
        guardian.GRACE_SECONDS = kept

    assert process.wait(10) == -signal.SIGKILL
    process.stdout.close()


def test_a_folder_that_the_unprivileged_user_cannot_pass_is_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "inside").mkdir(parents=True)
    tmp_path.chmod(0o755)
    closed.chmod(0o700)
    nobody = Account("nobody", uid=os.getuid() + 12345, gid=os.getgid() + 12345)

    assert nobody.barrier(closed / "inside" / "data") in (closed, *tmp_path.parents)
    assert Account("we", os.getuid(), os.getgid()).barrier(Path("/")) is None


def test_a_database_name_cannot_carry_a_statement() -> None:
    for name in ('x"; DROP DATABASE postgres; --', "", "Über", "a" * 64, "1st"):
        with pytest.raises(ValueError, match="no name for a database"):
            databases._quoted(name)
    assert databases._quoted("test_1") == '"test_1"'


def test_a_dsn_is_pointed_elsewhere_without_touching_its_credentials() -> None:
    dsn = databases.dsn("worker", "p@ss:/w", 5432)

    assert dsn == "postgresql://worker:p%40ss%3A%2Fw@127.0.0.1:5432/croupier"
    assert databases.with_database(dsn, "other") == dsn.replace("/croupier", "/other")
    assert databases.with_port(dsn, 6000) == dsn.replace(":5432", ":6000")


def test_a_directory_has_one_holder_and_tells_who(tmp_path: Path) -> None:
    first, second = StackDirectory(tmp_path / "stack"), StackDirectory(tmp_path / "stack")
    assert first.holder() is None
    first.acquire()

    with pytest.raises(DirectoryTaken):
        second.acquire()
    assert second.holder() == os.getpid()
    first.release()
    second.acquire()
    second.release()


def test_an_installation_is_kept_for_its_owners_eyes_and_a_broken_one_is_named(tmp_path: Path) -> None:
    directory = StackDirectory(tmp_path)
    assert directory.read() is None
    installation = Installation.new()
    directory.write(installation)

    assert directory.read() == installation
    assert (tmp_path / "installation.json").stat().st_mode & 0o077 == 0
    (tmp_path / "installation.json").write_text("{}")
    with pytest.raises(DirectoryUnreadable, match=str(tmp_path)):
        directory.read()


def test_two_installations_share_no_password() -> None:
    one, other = Installation.new(), Installation.new()

    passwords = {
        one.passwords.worker,
        one.passwords.migrator,
        one.passwords.superuser,
        other.passwords.worker,
    }
    assert len(passwords) == 4
