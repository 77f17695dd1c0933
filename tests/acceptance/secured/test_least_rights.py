"""A worker and a sender with the least rights do a day's work; two installations on one cluster do not touch."""

from __future__ import annotations

from processor.devstack.databases import create_database, with_database
from processor.devstack.stack import POSTGRES_DSN, POSTGRES_MIGRATOR_DSN
from processor.postgres.migrate import migrate
from tests.acceptance.commands.conftest import Installation, running
from tests.acceptance.secured.conftest import Doors, principal
from tests.installations import unique

OPERATOR = 'role = "operator"'


def installation_file(doors: Doors, cluster: dict[str, str]) -> Installation:
    """The same stack's variables, with others for the cluster's names."""
    named = (
        "CROUPIER_EVENTS_TOPIC",
        "CROUPIER_RESULTS_TOPIC",
        "CROUPIER_DEAD_LETTERS_TOPIC",
        "CROUPIER_GROUP",
        "CROUPIER_APP",
    )
    plain = {name: value for name, value in doors.installation.environment.items() if name not in named}
    return Installation({**plain, **cluster}, doors.installation.directory)


async def test_a_worker_with_the_least_rights_works_for_a_sender_with_the_least_rights(doors: Doors) -> None:
    told = await doors.apply(principal("worker", 'role = "worker"'), principal("desk", OPERATOR))
    assert told.code == 0
    opening = {
        "type": "open_player",
        "provider": "operator",
        "transaction_id": "open-1",
        "player_id": "anna",
        "currency": "EUR",
        "occurred_at": "2026-11-22T10:00:00Z",
    }
    async with running(doors.acting_as("worker")) as worker:
        await worker.until_ready(2)
        desk = doors.acting_as("desk")
        sent = await desk.type("send", doors.installation.events("open.jsonl", opening), "--wait")
        assert sent.code == 0, sent.err
        credited = await desk.type("credit", "anna", "12.50", "EUR", "--json")
        assert credited.code == 0, credited.err
        assert credited.json()["balance"]["cash"] == "12.50"


async def test_staging_and_production_on_one_cluster_do_not_touch(doors: Doors) -> None:
    staging = await _second_installation(doors, "staging.")
    production = await _second_installation(doors, "production.")
    for one in (staging, production):
        created = await one.type("topics", "create")
        assert created.code == 0, created.err

    for name, one in (("staging", staging), ("production", production)):
        path = one.file(f"{name}.toml", _file(doors, name))
        applied = await one.type("access", "apply", path, "--yes", TEST_PASSWORD="a-password-for-tests")
        assert applied.code == 0, applied.err

    own = _as(staging, doors, "staging")
    assert (await own.type("topics", "check")).code == 0
    strayed = _as(production, doors, "staging")
    for words in (("topics", "check"), ("tail", "--no-follow"), ("run",)):
        told = await strayed.run_program(*words)
        assert told.code == 4, told
        assert "the right to" in told.err
    assert (await own.type("credit", "anna", "1.00", "EUR", CROUPIER_ENVIRONMENT="production")).code == 2


def _file(doors: Doors, name: str) -> str:
    prefix = f"{doors.prefix}{name}-"
    return f'prefix = "{prefix}"\n[principals.{prefix}{principal("desk", OPERATOR)}'


def _as(one: Installation, doors: Doors, name: str) -> Installation:
    plain = {key: value for key, value in one.environment.items() if "_ADMIN_" not in key}
    login = doors.environment_of(f"{name}-desk")
    taken = {key: login[key] for key in ("CROUPIER_KAFKA_SASL_USERNAME", "CROUPIER_KAFKA_SASL_PASSWORD")}
    return Installation({**plain, **taken}, one.directory)


async def _second_installation(doors: Doors, prefix: str) -> Installation:
    variables = doors.installation.environment
    name = unique("test")
    migrator_dsn = await create_database(variables[POSTGRES_MIGRATOR_DSN], name)
    await migrate(migrator_dsn)
    return installation_file(
        doors,
        {
            "CROUPIER_CLUSTER_PREFIX": f"{doors.prefix}{prefix}",
            "CROUPIER_PARTITIONS": "2",
            POSTGRES_DSN: with_database(variables[POSTGRES_DSN], name),
            POSTGRES_MIGRATOR_DSN: migrator_dsn,
        },
    )
