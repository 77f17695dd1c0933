"""The audit finds what somebody with every right changed behind the program's back, and nothing in honest books."""

from __future__ import annotations

import pytest

from processor.devstack.stack import Stack
from processor.postgres.audit import audit
from processor.postgres.audit_report import AuditReport
from tests.contract.ledger.bookkeeper import Bookkeeper, bet, opening, parking, win
from tests.installations import drop, make_database
from tests.integration.postgres.installed import Installed


async def some_books(installed: Installed) -> list[Bookkeeper]:
    """Two lanes that have played."""
    one, other = await installed.keeper(0), await installed.keeper(1)
    await one.apply(opening("p-1"), opening("p-2", 2), bet("p-1", "b-1"), bet("p-2", "b-2", 999, 2))
    await one.apply(win("p-1", "w-1", "b-1", 400), bet("p-1", "b-3", 0), published_seq=1)
    await one.apply()
    await other.apply(opening("p-3", 1), parking("p-3", "w-9", 1), bet("p-3", "b-4", 10_000, 1))
    return [one, other]


async def tamper(installed: Installed, statement: str) -> None:
    """As the owner, with triggers off."""
    owner = await installed.owner()
    for table in ("entries", "outcomes", "seals"):
        await owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only")
    assert not (await owner.execute(statement)).endswith(" 0"), "the statement changed nothing"
    for table in ("entries", "outcomes", "seals"):
        await owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER append_only")


def faults(report: AuditReport) -> dict[str, str]:
    return {proof.name: proof.fault for proof in report.proofs if proof.fault is not None}


async def test_honest_books_are_clean_and_every_proof_has_looked_at_something(installed: Installed) -> None:
    await some_books(installed)
    report = await audit(installed.database.worker_dsn, full=True)
    assert faults(report) == {}
    assert (report.batches, report.outcomes, report.incremental) == (4, 8, False)
    assert all(proof.examined > 0 for proof in report.proofs)


async def test_an_empty_ledger_is_clean(installed: Installed) -> None:
    assert (await audit(installed.database.worker_dsn)).clean


async def test_an_audit_goes_on_from_where_the_last_one_ended(installed: Installed) -> None:
    keepers = await some_books(installed)
    assert (await audit(installed.database.worker_dsn)).clean
    await keepers[0].apply(bet("p-1", "b-5"), win("p-1", "w-5", "b-5", 100))
    report = await audit(installed.database.worker_dsn)
    assert faults(report) == {}
    assert (report.incremental, report.batches, report.outcomes) == (True, 1, 2)
    again = await audit(installed.database.worker_dsn)
    assert (again.clean, again.batches) == (True, 0)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE accounts SET balance = balance + 1 WHERE version = 3", {"entries", "balances", "chains"}),
        ("UPDATE accounts SET version = version + 1 WHERE version = 3", {"balances", "chains"}),
        (
            "UPDATE entries SET amount_minor = 251 WHERE amount_minor = 250",
            {"balances", "chains", "seals", "house"},
        ),
        ("UPDATE entries SET debit_balance_after = 1 WHERE amount_minor = 250", {"chains", "seals"}),
        ("DELETE FROM entries WHERE amount_minor = 250", {"balances", "chains", "seals", "house"}),
        ("UPDATE outcomes SET code = 'OK ' WHERE key = 'b-1'", {"seals"}),
        ("UPDATE outcomes SET moved_minor = 1 WHERE key = 'b-1'", {"seals"}),
        ("UPDATE outcomes SET position = 9 WHERE key = 'd-p-1-EUR'", {"seals"}),
        ("DELETE FROM outcomes WHERE key = 'b-3'", {"seals"}),
        ("DELETE FROM outcomes WHERE key = 'b-4'", {"seals", "entries"}),
        ("UPDATE seals SET seal = sha256(seal) WHERE lane = 0 AND seq = 2", {"seals"}),
        ("DELETE FROM seals WHERE lane = 0 AND seq = 2", {"seals"}),
        ("DELETE FROM seals WHERE lane = 1", {"seals", "lanes"}),
        ("UPDATE house_accounts SET balance = balance - 1 WHERE purpose = 'deposits'", {"entries", "house"}),
        ("UPDATE rounds SET staked_minor = staked_minor + 1 WHERE round_id = 'r-b-1'", {"rounds"}),
        ("DELETE FROM journal WHERE lane = 0 AND seq = 2", {"lanes"}),
        ("UPDATE lanes SET applied_seq = applied_seq + 1 WHERE lane = 0", {"lanes"}),
    ],
)
async def test_what_was_changed_is_found(installed: Installed, statement: str, expected: set[str]) -> None:
    await some_books(installed)
    await tamper(installed, statement)
    found = faults(await audit(installed.database.worker_dsn, full=True))
    assert expected <= found.keys(), found


async def test_a_pool_below_zero_is_found_even_where_all_sums_agree(installed: Installed) -> None:
    await some_books(installed)
    owner = await installed.owner()
    await owner.execute("ALTER TABLE accounts DROP CONSTRAINT accounts_balance_check")
    await tamper(installed, "UPDATE accounts SET balance = -1 WHERE version = 3")
    assert "pools" in faults(await audit(installed.database.worker_dsn, full=True))


async def test_a_fault_names_the_player_and_the_place(installed: Installed) -> None:
    await some_books(installed)
    await tamper(installed, "UPDATE entries SET amount_minor = 251 WHERE amount_minor = 250")
    found = faults(await audit(installed.database.worker_dsn, full=True))
    assert "p-1 EUR cash" in found["chains"]
    assert "1/0/1" in found["seals"]


async def test_a_past_that_was_sealed_anew_is_found_from_the_mark_of_the_last_audit(
    installed: Installed,
) -> None:
    await some_books(installed)
    assert (await audit(installed.database.worker_dsn)).clean
    await tamper(installed, "UPDATE seals SET seal = sha256(seal) WHERE lane = 1 AND seq = 1")
    assert "when it was proved" in faults(await audit(installed.database.worker_dsn))["seals"]


async def test_nothing_counts_as_proved_while_a_fault_stands(installed: Installed) -> None:
    await some_books(installed)
    await tamper(installed, "UPDATE rounds SET won_minor = won_minor + 1 WHERE round_id = 'r-b-1'")
    assert not (await audit(installed.database.worker_dsn)).clean
    assert (await audit(installed.database.worker_dsn)).incremental is False


async def test_progress_is_told(installed: Installed) -> None:
    await some_books(installed)
    told: list[tuple[str, int, int | None]] = []
    await audit(installed.database.worker_dsn, progress=lambda *each: told.append(each))
    assert ("seals", 8, 8) in told
    assert {"zero_sum", "chains", "house"} <= {each[0] for each in told}


async def test_the_books_are_read_on_a_replica_and_how_far_they_are_proved_is_kept_on_the_primary(
    installed: Installed, stack: Stack
) -> None:
    await some_books(installed)
    await installed.close()
    replica = await make_database(stack, installed.database.name)
    primary = installed.database.worker_dsn
    assert (await audit(primary, replica_dsn=replica.worker_dsn)).clean
    behind = Installed(replica)
    assert await (await behind.worker()).fetchval("SELECT count(*) FROM audit_marks") == 0
    report = await audit(primary, replica_dsn=replica.worker_dsn)
    assert (report.clean, report.incremental, report.batches) == (True, True, 0)
    await tamper(behind, "UPDATE entries SET amount_minor = 251 WHERE amount_minor = 250")
    assert "chains" in faults(await audit(primary, replica_dsn=replica.worker_dsn, full=True))
    assert (await audit(primary)).clean
    await behind.close()
    await drop(stack, replica.name)
