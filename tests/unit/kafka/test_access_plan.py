"""What each role needs, and what must change between what is granted and what is wanted."""

from __future__ import annotations

import pytest

from processor.kafka.access.plan import GrantChange, QuotaChange, UserChange, changes
from processor.kafka.access.rights import Access, Grant, Right, Role, rights_of
from processor.kafka.publisher import transactional_id
from processor.settings import Settings

READ = Right("topic", "wallet.results", False, "read")
WRITE = Right("topic", "wallet.events", False, "write")


def granted(*grants: Grant) -> Access:
    """Rights and nothing else."""
    return Access(frozenset(grants))


def test_a_sender_may_write_events_and_nothing_else() -> None:
    assert rights_of("sender", Settings()) == {WRITE}


def test_a_worker_may_not_write_events_and_an_operator_may() -> None:
    assert WRITE not in rights_of("worker", Settings())
    assert rights_of("operator", Settings()) - rights_of("worker", Settings()) == {WRITE}


def test_a_workers_transactional_ids_are_within_its_right_and_anothers_are_not() -> None:
    settings, other = Settings(), Settings(cluster_prefix="staging.")
    (right,) = (one for one in rights_of("worker", settings) if one.resource == "transactional-id")
    assert right.prefixed
    assert transactional_id(settings, 1, 3).startswith(right.name)
    assert not transactional_id(other, 1, 3).startswith(right.name)


@pytest.mark.parametrize("role", ["worker", "operator", "sender", "reader"])
def test_two_installations_with_prefixes_of_their_own_share_no_right(role: Role) -> None:
    one, other = Settings(cluster_prefix="staging."), Settings(cluster_prefix="production.")
    assert not rights_of(role, one) & rights_of(role, other)


def test_nothing_changes_where_all_is_as_it_should_be() -> None:
    access = Access(frozenset({Grant("acme", "10.0.0.1", WRITE)}), {"acme": frozenset({"SCRAM-SHA-512"})})
    assert changes(access, access) == []


def test_rights_are_taken_first_and_given_last() -> None:
    before = granted(Grant("acme", "10.0.0.1", WRITE))
    wanted = Access(
        frozenset({Grant("acme", "10.0.0.2", WRITE)}),
        {"acme": frozenset({"SCRAM-SHA-512"})},
        {"acme": {"producer_byte_rate": 1000.0}},
    )
    assert changes(before, wanted) == [
        GrantChange("-", Grant("acme", "10.0.0.1", WRITE)),
        UserChange("+", "acme", "SCRAM-SHA-512"),
        QuotaChange("acme", "producer_byte_rate", 1000.0),
        GrantChange("+", Grant("acme", "10.0.0.2", WRITE)),
    ]


def test_who_is_no_longer_named_loses_rights_passwords_and_quotas() -> None:
    before = Access(
        frozenset({Grant("acme", "*", WRITE)}),
        {"acme": frozenset({"SCRAM-SHA-256"})},
        {"acme": {"request_percentage": 10.0}},
    )
    assert changes(before, Access()) == [
        GrantChange("-", Grant("acme", "*", WRITE)),
        UserChange("-", "acme", "SCRAM-SHA-256"),
        QuotaChange("acme", "request_percentage", None),
    ]


def test_a_quota_that_differs_is_set_and_an_equal_one_is_left() -> None:
    before = Access(quotas={"acme": {"producer_byte_rate": 1.0, "request_percentage": 5.0}})
    after = Access(quotas={"acme": {"producer_byte_rate": 2.0, "request_percentage": 5.0}})
    assert changes(before, after) == [QuotaChange("acme", "producer_byte_rate", 2.0)]


def test_passwords_that_are_there_are_set_again_only_when_asked_for() -> None:
    access = Access(users={"acme": frozenset({"SCRAM-SHA-512"})})
    assert changes(access, access, renew_passwords=True) == [UserChange("+", "acme", "SCRAM-SHA-512")]


def test_only_principals_with_the_prefix_are_looked_at() -> None:
    access = granted(Grant("stg-acme", "*", WRITE), Grant("prod-acme", "*", READ))
    assert access.of("stg-") == granted(Grant("stg-acme", "*", WRITE))
    assert access.principals() == {"stg-acme", "prod-acme"}
