"""A worker starts only on an installation that is as it must be; each refusal is one sentence and an exit code."""

from __future__ import annotations

import os
import signal

import pytest

from processor.devstack.stack import KAFKA_BOOTSTRAP, Stack, security_of
from tests.acceptance.commands.conftest import Installation, LogLines, running
from tests.installations import Database, make_topics, unique

NOWHERE = "127.0.0.1:1"


async def test_migrate_brings_an_empty_database_there_and_then_has_nothing_to_do(
    installation: Installation, empty_database: Database
) -> None:
    first = await installation.type("migrate", "--json", **empty_database.environment())
    again = await installation.type("migrate", "--json", **empty_database.environment())
    assert first.json()["migrations"][0] == "0001_books"
    assert (again.code, again.json()) == (0, {"migrations": []})


async def test_topics_create_makes_what_is_missing_and_says_so(installation: Installation) -> None:
    names = {
        "CROUPIER_EVENTS_TOPIC": unique("events"),
        "CROUPIER_RESULTS_TOPIC": unique("results"),
        "CROUPIER_DEAD_LETTERS_TOPIC": unique("letters"),
    }
    assert (await installation.type("topics", "check", **names)).code == 4
    made = await installation.type("topics", "create", "--json", **names)
    assert made.code == 0, made.err
    assert sorted(made.json()["created"]) == sorted(names.values())
    again = await installation.type("topics", "create", "--json", **names)
    assert (again.code, again.json()["created"]) == (0, [])
    allowed = {
        **names,
        **as_administrator(installation),
    }  # on a secured stack the worker has no right to them yet
    assert (await installation.type("topics", "check", **allowed)).code == 0


def as_administrator(installation: Installation) -> dict[str, str]:
    """The login that the stack's administrator has, where the stack asks for logins."""
    return {
        name.replace("_ADMIN_", "_SASL_"): text
        for name, text in installation.environment.items()
        if "_ADMIN_" in name
    }


async def test_a_database_that_is_not_migrated_is_exit_4(
    installation: Installation, empty_database: Database
) -> None:
    refused = await installation.run_program("run", **empty_database.environment())
    assert refused.code == 4
    assert "croupier migrate" in refused.err


async def test_topics_that_are_missing_are_exit_4(installation: Installation) -> None:
    refused = await installation.run_program("run", CROUPIER_EVENTS_TOPIC="nobody.made.this")
    assert refused.code == 4
    assert "nobody.made.this" in refused.err


async def test_topics_with_another_number_of_partitions_are_exit_4(
    installation: Installation, stack: Stack, database: Database
) -> None:
    topics = await make_topics(stack.environment()[KAFKA_BOOTSTRAP], 3, security_of(stack.environment()))
    variables = {**topics.environment(), **database.environment(), "CROUPIER_PARTITIONS": "4"}
    refused = await installation.run_program("run", **variables)
    assert refused.code == 4
    assert "has 3 partitions" in refused.err


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("CROUPIER_KAFKA_BOOTSTRAP", NOWHERE, ("run",)),
        ("CROUPIER_POSTGRES_DSN", f"postgresql://nobody:none@{NOWHERE}/none", ("run",)),
        ("CROUPIER_KAFKA_BOOTSTRAP", NOWHERE, ("topics", "check")),
        ("CROUPIER_KAFKA_BOOTSTRAP", NOWHERE, ("tail", "--no-follow")),
        ("CROUPIER_POSTGRES_DSN", f"postgresql://nobody:none@{NOWHERE}/none", ("balance", "p")),
        ("CROUPIER_POSTGRES_DSN", f"postgresql://nobody:none@{NOWHERE}/none", ("audit",)),
        ("CROUPIER_POSTGRES_DSN", f"postgresql://nobody:none@{NOWHERE}/none", ("dead-letters", "list")),
    ],
)
async def test_a_server_that_does_not_answer_is_exit_3(
    installation: Installation, variable: str, value: str, words: tuple[str, ...]
) -> None:
    type_it = installation.run_program if words == ("run",) else installation.type
    refused = await type_it(*words, **{variable: value})
    assert refused.code == 3, refused.err
    assert variable in refused.err
    assert "Traceback" not in refused.err


async def test_another_number_of_lanes_than_the_stored_layouts_is_exit_4(installation: Installation) -> None:
    async with running(installation) as worker:
        await worker.until_ready(2)
    refused = await installation.run_program("run", "--lanes", 3)
    assert refused.code == 4
    assert "2 lanes" in refused.err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_drains_the_worker_and_it_exits_0(
    installation: Installation, number: signal.Signals
) -> None:
    async with running(installation) as worker:
        await worker.until_ready(2)
        worker.process.send_signal(number)
        lines = await worker.rest()
    assert worker.process.returncode == 0
    assert lines[-1]["action"] == "worker.end"


async def test_several_processes_share_the_lanes_and_drain_together(installation: Installation) -> None:
    async with running(installation, "--processes", 2) as parent:
        await _until_shared(parent)
        parent.process.send_signal(signal.SIGTERM)
        lines = await parent.rest()
    assert parent.process.returncode == 0
    assert lines[-1]["returncodes"] == [0, 0]


async def test_a_worker_that_dies_makes_the_parent_drain_the_others_and_fail(
    installation: Installation,
) -> None:
    async with running(installation, "--processes", 2) as parent:
        started = await parent.until(lambda line: line["action"] == "workers.started")
        await _until_shared(parent)
        _kill(started["pids"][0])
        lines = await parent.rest()
    assert parent.process.returncode == 1
    assert any(line["action"] == "worker.died" for line in lines)
    assert lines[-1]["returncodes"] == [-9, 0]


async def test_workers_whose_parent_is_killed_drain_and_go(installation: Installation) -> None:
    async with running(installation, "--processes", 2) as parent:
        await _until_shared(parent)
        parent.process.kill()
        lines = await parent.rest()
    assert sum(line["action"] == "worker.end" for line in lines) == 2


async def _until_shared(parent: LogLines) -> None:
    """Until each of two workers has half of the four partitions, and both lanes are ready after that."""
    halves = 0

    def both_have_half(line: dict[str, object]) -> bool:
        nonlocal halves
        halves += line["action"] == "group.assigned" and line["partitions"] == 2
        return halves == 2

    await parent.until(both_have_half)


def _kill(pid: int) -> None:

    os.kill(pid, signal.SIGKILL)
