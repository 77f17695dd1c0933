"""access.toml: what it may say, what it comes to, and what is refused by name."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from processor.errors import WrongUsage
from processor.kafka.access.rights import Grant, Right, rights_of
from processor.ops.access_file import AccessFile, read_access_file
from processor.settings import Settings

DOCUMENT = Path(__file__).parents[3] / "docs" / "access.md"

FILE = """
prefix = "w-"

[principals.w-acme]
role = "sender"
hosts = ["203.0.113.7", "203.0.113.8"]
scram = ["SCRAM-SHA-512"]
password_variable = "ACME_PASSWORD"
quota.producer_bytes_per_second = 100_000

[principals.w-reports]
hosts = ["*"]
read = ["wallet.results", "reports.*"]
groups = ["reports-*"]
"""


def parsed(text: str) -> AccessFile:
    return read_access_file(tomllib.loads(text))


def test_a_role_and_lists_are_spelled_out_for_each_host() -> None:
    access = parsed(FILE).access(Settings())
    (write,) = rights_of("sender", Settings())
    assert access.grants == {
        Grant("w-acme", "203.0.113.7", write),
        Grant("w-acme", "203.0.113.8", write),
        Grant("w-reports", "*", Right("topic", "wallet.results", False, "read")),
        Grant("w-reports", "*", Right("topic", "reports.", True, "read")),
        Grant("w-reports", "*", Right("group", "reports-", True, "read")),
    }
    assert access.users == {"w-acme": {"SCRAM-SHA-512"}}
    assert access.quotas == {"w-acme": {"producer_byte_rate": 100_000}}


def test_a_password_comes_from_the_environment_or_a_file_beside_and_never_into_a_complaint(
    tmp_path: Path,
) -> None:
    file = parsed(FILE)
    assert file.password("w-acme", tmp_path, {"ACME_PASSWORD": "long-enough-secret"}) == "long-enough-secret"
    with pytest.raises(WrongUsage, match="ACME_PASSWORD is missing or shorter than 16") as refused:
        file.password("w-acme", tmp_path, {"ACME_PASSWORD": "hush"})
    assert "hush" not in str(refused.value)

    beside = parsed(FILE.replace('password_variable = "ACME_PASSWORD"', 'password_file = "acme.secret"'))
    (tmp_path / "acme.secret").write_text("long-enough-secret\n")
    assert beside.password("w-acme", tmp_path) == "long-enough-secret"


@pytest.mark.parametrize(
    ("changed", "into", "complaint"),
    [
        ("[principals.w-acme]", "[principals.acme]", "does not begin with the file's prefix w-"),
        ('role = "sender"', 'role = "king"', r"principals\.w-acme\.role"),
        ('hosts = ["*"]', "hosts = []", r"principals\.w-reports\.hosts"),
        ('hosts = ["*"]', 'hosts = ["*", "10.0.0.1"]', "addresses, or"),
        ('hosts = ["*"]', 'hosts = ["game.example"]', r"hosts\.0"),
        ('password_variable = "ACME_PASSWORD"', "", "exactly one of password_file and password_variable"),
        ('role = "sender"', 'role = "sender"\nrights = 1', r"principals\.w-acme\.rights"),
        ('prefix = "w-"', "", "prefix"),
    ],
)
def test_what_a_file_may_not_say_is_refused_by_name(changed: str, into: str, complaint: str) -> None:
    assert changed in FILE
    with pytest.raises(WrongUsage, match=complaint):
        parsed(FILE.replace(changed, into))


def test_the_documents_example_is_a_file_that_can_be_applied() -> None:
    example = DOCUMENT.read_text().split("```toml\n")[1].split("```")[0]
    assert parsed(example).access(Settings()).grants
