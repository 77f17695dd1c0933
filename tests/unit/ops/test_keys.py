"""`croupier keys` but for the database: files for their owner's eyes, rotation with overlap, and what check finds."""

from __future__ import annotations

import os
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from processor.errors import KeysUnusable, WrongUsage
from processor.keys.file import SUFFIX
from processor.keys.inspection import Rules, State, findings, state_of
from processor.keys.ring import KeyRing, read_directory
from processor.keys.writing import find, make, revoke, rotate
from tests.unit.keys.keyfiles import NOW, key_file, put

RULES = Rules("production", 80, 90)


def sentences(directory: Path, *, bad: bool) -> list[tuple[str, str]]:
    """(key, first words) of what check finds."""
    return [
        (one.key, " ".join(one.sentence.split()[:4]))
        for one in findings(directory, RULES, NOW)
        if one.bad == bad
    ]


def test_a_new_key_is_a_file_that_only_its_owner_can_read(tmp_path: Path) -> None:
    directory = tmp_path / "keys"
    key = make(directory, owner="acme", environment="production", now=NOW, types=["bet"], valid_days=90)
    path = directory / f"acme-2026-11-11{SUFFIX}"
    assert (key.id, key.not_after) == ("acme-2026-11-11", NOW + timedelta(days=90))
    assert [stat.S_IMODE(one.stat().st_mode) for one in (directory, path)] == [0o700, 0o600]
    assert key.secret is not None
    assert len(key.secret.get_secret_value()) == 32
    assert [one.name for one in directory.iterdir()] == [path.name]
    assert find(directory, key.id) == key
    assert findings(directory, RULES, NOW) == []


def test_a_second_key_of_a_day_has_another_name_and_another_secret(tmp_path: Path) -> None:
    keys = [make(tmp_path, owner="acme", environment="staging", now=NOW) for _ in range(3)]
    assert [key.id for key in keys] == ["acme-2026-11-11", "acme-2026-11-11-2", "acme-2026-11-11-3"]
    assert len({key.secret for key in keys if key.secret}) == 3


def test_no_key_is_written_over_another(tmp_path: Path) -> None:
    key = make(tmp_path, owner="acme", environment="production", now=NOW, key_id="k")
    with pytest.raises(WrongUsage, match="There is a key k already"):
        make(tmp_path, owner="acme", environment="production", now=NOW, key_id="k")
    assert find(tmp_path, "k") == key
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("owner", "key_id"), [("Acme", None), ("acme", "../k"), ("acme", ".k"), ("a\nb", "k")]
)
def test_names_that_are_none_are_refused(tmp_path: Path, owner: str, key_id: str | None) -> None:
    with pytest.raises(WrongUsage, match="would be no key"):
        make(tmp_path / "keys", owner=owner, environment="production", now=NOW, key_id=key_id)
    assert not (tmp_path / "keys").exists()


def test_a_rotation_leaves_both_keys_valid_for_the_overlap(tmp_path: Path) -> None:
    first = make(tmp_path, owner="acme", environment="production", now=NOW, key_id="a", types=["bet", "win"])
    old, new = rotate(tmp_path, "a", now=NOW, overlap_days=7)
    assert (new.owner, new.types, new.environment) == (first.owner, first.types, first.environment)
    assert old == find(tmp_path, "a")
    assert old.secret == first.secret
    assert old.not_after == NOW + timedelta(days=7)
    sooner, _ = rotate(tmp_path, "a", now=NOW, overlap_days=30)
    assert sooner.not_after == old.not_after
    ring = KeyRing(tmp_path, environment="production", now_ms=lambda: round(NOW.timestamp() * 1000))
    ring.load()
    assert all(key.is_valid_at(round(NOW.timestamp() * 1000)) for key in ring)


def test_a_revoked_key_has_no_secret_any_more_and_keeps_its_name(tmp_path: Path) -> None:
    make(tmp_path, owner="acme", environment="production", now=NOW, key_id="a")
    revoked = revoke(tmp_path, "a", now=NOW)
    assert b"secret" not in (tmp_path / f"a{SUFFIX}").read_bytes()
    assert revoke(tmp_path, "a", now=NOW + timedelta(days=1)) == revoked
    with pytest.raises(WrongUsage, match="already"):
        make(tmp_path, owner="acme", environment="production", now=NOW, key_id="a")
    with pytest.raises(WrongUsage, match="is revoked"):
        rotate(tmp_path, "a", now=NOW, overlap_days=7)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="no key nope"):
        revoke(tmp_path, "nope", now=NOW)
    with pytest.raises(KeysUnusable, match="CROUPIER_KEYS_DIRECTORY"):
        revoke(tmp_path / "nowhere", "nope", now=NOW)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_something_else_keeps_is_not_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(KeysUnusable, match="change them there"):
        make(tmp_path, owner="acme", environment="production", now=NOW)


@pytest.mark.parametrize(
    ("days", "bad", "soon"), [(79.9, 0, 0), (80, 0, 1), (90, 0, 1), (90.1, 1, 0), (4000, 1, 0)]
)
def test_check_warns_from_80_days_and_fails_past_90(tmp_path: Path, days: float, bad: int, soon: int) -> None:
    put(tmp_path, key_file(created_at=NOW - timedelta(days=days)))
    (tmp_path / "acme-1.toml").chmod(0o600)
    found = findings(tmp_path, RULES, NOW)
    assert [sum(one.bad for one in found), sum(not one.bad for one in found)] == [bad, soon]


def test_check_finds_what_is_open_to_all_for_elsewhere_twice_there_or_no_key(tmp_path: Path) -> None:
    secret = bytes(32)
    put(
        tmp_path,
        key_file("copied", secret=secret),
        key_file("expired", not_after=NOW),
        key_file("open"),
        key_file("original", secret=secret),
        key_file("staging", environment="staging"),
        key_file("revoked", secret=None, revoked_at=NOW, created_at=NOW - timedelta(days=400)),
    )
    for path in tmp_path.iterdir():
        path.chmod(0o644 if path.stem in ("open", "revoked") else 0o640)
    (tmp_path / "broken.toml").write_text("?")
    tmp_path.chmod(0o777)
    assert sentences(tmp_path, bad=True) == [
        ("broken.toml", "broken.toml is not TOML"),
        ("open", "Anybody on the machine"),
        ("original", "It has the same"),
        ("staging", "It is for staging,"),
        (tmp_path.name, "Anybody can put keys"),
    ]
    assert sentences(tmp_path, bad=False) == [("expired", "It expired on 2026-11-11:")]


def test_the_states_of_a_key(tmp_path: Path) -> None:
    later = NOW + timedelta(days=1)
    states = {
        State.VALID: key_file(not_before=NOW, not_after=later),
        State.NOT_YET: key_file(not_before=later),
        State.EXPIRED: key_file(not_after=NOW),
        State.REVOKED: key_file(secret=None, revoked_at=NOW),
        State.FOREIGN: key_file(environment="development"),
    }
    assert {state: state_of(key, "production", NOW) for state, key in states.items()} == {
        s: s for s in states
    }
    put(tmp_path, *states.values())
    assert len(read_directory(tmp_path).files) == 1
