"""The key ring: what is a key, what is none, and what happens when the directory changes under it."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.errors import KeysUnusable
from processor.keys.file import BadKeyFile, read_key, write_key
from processor.keys.ring import KeyRing, read_directory
from tests.unit.keys.keyfiles import MADE_AT, NOW, NOW_MS, key_file, put, ring_of

SECRET = "5ec2e7" * 11


def a_file(**changes: str) -> bytes:
    """A good file of the key acme-1, with lines changed (empty: left out)."""
    lines = {
        "id": '"acme-1"',
        "environment": '"production"',
        "owner": '"acme"',
        "created_at": "2026-11-01T12:00:00Z",
        "secret": f'"{SECRET}"',
        **changes,
    }
    return "\n".join(f"{name} = {value}" for name, value in lines.items() if value).encode()


def test_a_key_reads_as_it_was_written() -> None:
    whole = key_file(types=("bet", "win"), not_before=MADE_AT, not_after=NOW, secret=bytes.fromhex(SECRET))
    revoked = key_file(secret=None, revoked_at=NOW)
    for key in (whole, revoked, key_file()):
        assert read_key("acme-1.toml", write_key(key)) == key


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (a_file(secret='"5ec2e7"'), "secret: has less than 32 bytes"),
        (a_file(secret=f'"{SECRET}zz"'), "secret: is not hex"),
        (a_file(secret=""), "a key has a secret, or is revoked and has none"),
        (a_file(revoked_at="2026-11-02T00:00:00Z"), "a key has a secret, or is revoked and has none"),
        (a_file(owner='"Acme Games"'), "owner: String should match pattern"),
        (a_file(environment='"moon"'), "environment: "),
        (a_file(types='["bet", "steal"]'), "types: names an event type that the contract does not have"),
        (a_file(created_at="2026-11-01T12:00:00"), "created_at: "),
        (a_file(**{f"x{SECRET}": "1"}), "Extra inputs are not permitted"),
        (a_file(id='"acme-2"'), "not called after its id"),
        (b"secret = \x00" + SECRET.encode(), "is not TOML"),
        (SECRET.encode(), "is not TOML"),
        (b"\xff", "is not TOML"),
        (b"x" * 70_000, "is larger than"),
        (b"[" * 20_000, "is not TOML"),
    ],
)  # fmt: skip
def test_a_bad_file_says_what_is_wrong_and_nothing_that_is_in_it(content: bytes, says: str) -> None:
    with pytest.raises(BadKeyFile) as caught:
        read_key("acme-1.toml", content)
    assert says in str(caught.value)
    assert "5ec2e7" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@given(content=st.binary(max_size=200))
def test_any_bytes_are_a_key_or_a_bad_file(content: bytes) -> None:
    with pytest.raises(BadKeyFile):
        read_key("acme-1.toml", content)


def test_a_key_shows_its_secret_to_nobody_who_prints_it(tmp_path: Path) -> None:
    file = key_file(secret=bytes.fromhex(SECRET))
    ring = ring_of(tmp_path, file)
    key = ring.find(b"acme-1")
    printed = (
        f"{file!r} {file} {key!r} {key} {ring!r} {ring.facts()} {file.model_dump()} {file.model_dump_json()}"
    )
    assert not re.search("5ec2e7|" + re.escape(repr(bytes.fromhex(SECRET))[2:10]), printed)


def test_only_files_named_as_keys_are_read(tmp_path: Path) -> None:
    put(tmp_path, key_file("acme-1"))
    (tmp_path / ".acme-2.toml").write_bytes(write_key(key_file("acme-2")))
    (tmp_path / "README").write_text("keys")
    (tmp_path / "old.toml").mkdir()
    assert set(read_directory(tmp_path).files) == {"acme-1.toml"}


def test_no_directory_and_no_key_are_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(KeysUnusable, match="CROUPIER_KEYS_DIRECTORY"):
        KeyRing(tmp_path / "nowhere", environment="production").load()
    with pytest.raises(KeysUnusable, match="croupier keys new"):
        KeyRing(tmp_path, environment="production").load()


def test_a_new_key_is_known_and_a_removed_one_forgotten_without_a_restart(tmp_path: Path) -> None:
    ring = ring_of(tmp_path, key_file("acme-1"))
    assert not ring.refresh()
    put(tmp_path, key_file("acme-2"))
    assert ring.refresh()
    assert [ring.find(one) is not None for one in (b"acme-1", b"acme-2")] == [True, True]
    (tmp_path / "acme-1.toml").unlink()
    assert ring.refresh()
    assert [ring.find(one) is not None for one in (b"acme-1", b"acme-2")] == [False, True]


def test_a_revoked_key_is_not_found(tmp_path: Path) -> None:
    ring = ring_of(tmp_path, key_file("acme-1"), key_file("acme-2"))
    put(tmp_path, key_file("acme-1", secret=None, revoked_at=NOW))
    assert ring.refresh()
    assert ring.find(b"acme-1") is None


def test_the_swap_of_kubernetes_data_link_is_seen(tmp_path: Path) -> None:
    for generation, key_id in (("..2026_1", "acme-1"), ("..2026_2", "acme-1")):
        put(tmp_path / generation, key_file(key_id))
    stamp = (MADE_AT.timestamp(), MADE_AT.timestamp())
    for file in tmp_path.glob("..2026_*/acme-1.toml"):
        os.utime(file, stamp)
    (tmp_path / "..data").symlink_to("..2026_1")
    (tmp_path / "acme-1.toml").symlink_to("..data/acme-1.toml")
    ring = KeyRing(tmp_path, environment="production")
    ring.load()
    before = ring.find(b"acme-1")
    (tmp_path / "..data_tmp").symlink_to("..2026_2")
    (tmp_path / "..data_tmp").rename(tmp_path / "..data")
    assert ring.refresh()
    after = ring.find(b"acme-1")
    assert before is not None
    assert after is not None
    assert before.sign(b"x", b"1") != after.sign(b"x", b"1")


def test_a_file_that_goes_bad_keeps_the_key_it_held_and_is_told_once(tmp_path: Path) -> None:
    told: list[str] = []
    put(tmp_path, key_file("acme-1"))
    ring = KeyRing(tmp_path, environment="production", complain=told.append)
    ring.load()
    (tmp_path / "acme-1.toml").write_text("half a fi")
    assert ring.refresh()
    assert not ring.refresh()
    assert ring.find(b"acme-1") is not None
    assert told == ["acme-1.toml is not TOML in UTF-8."]


def test_a_directory_that_is_gone_or_empty_keeps_all_keys_and_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    directory = tmp_path / "keys"
    put(directory, key_file("acme-1"))
    ring = KeyRing(directory, environment="production", complain=told.append)
    ring.load()
    directory.rename(tmp_path / "away")
    assert not ring.refresh()
    directory.mkdir()
    assert not ring.refresh()
    assert ring.find(b"acme-1") is not None
    assert ["cannot be read" in told[0], "is empty" in told[1]] == [True, True]


def test_uses_are_remembered_over_readings(tmp_path: Path) -> None:
    ring = ring_of(tmp_path, key_file("acme-1"))
    key = ring.find(b"acme-1")
    assert key is not None
    key.used(NOW_MS)
    put(tmp_path, key_file("acme-1"), key_file("acme-2"))
    assert ring.refresh()
    ages = {fact.key_id: (fact.uses, fact.last_used_ms, fact.age_seconds) for fact in ring.facts()}
    ten_days = timedelta(days=10).total_seconds()
    assert ages == {"acme-1": (1, NOW_MS, ten_days), "acme-2": (0, 0, ten_days)}


def test_in_a_rotations_overlap_both_keys_are_valid_and_the_newest_signs(tmp_path: Path) -> None:
    ring = ring_of(
        tmp_path,
        key_file("op-1", owner="operator", not_after=NOW + timedelta(days=7)),
        key_file("op-2", owner="operator", created_at=NOW),
        key_file("op-3", owner="operator", created_at=NOW + timedelta(1), not_before=NOW + timedelta(days=1)),
        key_file("op-4", owner="operator", created_at=NOW + timedelta(2), environment="staging"),
    )
    valid = [key.key_id for key in ring if key.is_valid_at(NOW_MS)]
    assert valid == ["op-1", "op-2", "op-4"]
    newest = ring.operator_key()
    assert newest is not None
    assert newest.key_id == "op-2"


def test_validity_includes_its_first_moment_and_not_its_last(tmp_path: Path) -> None:
    later = NOW + timedelta(days=1)
    ring = ring_of(tmp_path, key_file(not_before=NOW, not_after=later))
    (key,) = ring
    later_ms = round(later.timestamp() * 1000)
    assert [key.is_valid_at(at) for at in (NOW_MS - 1, NOW_MS, later_ms - 1, later_ms)] == [
        False, True, True, False,
    ]  # fmt: skip
