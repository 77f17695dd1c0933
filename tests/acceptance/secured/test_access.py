"""access.toml becomes users, rights by address, and rate limits; what it no longer says is gone; all is on record."""

from __future__ import annotations

import pytest
from aiokafka.protocol.produce import ProduceRequest

from processor.devstack.proxy import TcpProxy
from processor.errors import AccessDenied, KafkaUnreachable
from processor.kafka.connection import connected_client
from processor.kafka.producing import EventSender
from processor.kafka.questions import leader_of
from processor.kafka.topics import check_topics
from processor.postgres.connection import opened
from processor.settings import Settings
from tests.acceptance.secured.conftest import Doors, principal
from tests.integration.kafka.raw_produce import batch_of

SENDER = 'role = "sender"'


async def send(settings: Settings) -> None:
    """One record, as a game server would send it."""
    async with EventSender(settings) as sender:
        await sender.send_and_wait(b"{}", key=b"p-1")


async def test_a_sender_may_send_and_not_read_what_others_get(doors: Doors) -> None:
    assert (await doors.apply(principal("acme", SENDER))).code == 0
    await send(doors.as_user("acme"))
    with pytest.raises(AccessDenied):
        await send(doors.as_user("acme").model_copy(update={"events_topic": doors.settings.results_topic}))
    told = await doors.acting_as("acme").type("tail", "--no-follow")
    assert told.code == 4
    assert "the right to a topic" in told.err


async def test_a_dry_run_shows_and_changes_nothing(doors: Doors) -> None:
    before = await doors.granted()
    told = await doors.apply(principal("dry", SENDER), words=("--dry-run", "--json"))
    assert told.code == 0
    wanted = [one["what"] for one in told.json()["changes"] if one["principal"] == f"{doors.prefix}dry"]
    assert wanted == [
        "a password for SCRAM-SHA-512",
        f"write topic {doors.settings.events_topic} from 127.0.0.1",
    ]
    assert not told.json()["applied"]
    assert await doors.granted() == before


async def test_nobody_is_asked_where_nobody_can_answer_and_nothing_changes(doors: Doors) -> None:
    before = await doors.granted()
    assert (await doors.apply(principal("asked", SENDER), words=())).code == 1
    assert await doors.granted() == before


async def test_what_the_file_no_longer_says_is_gone_and_all_of_it_is_on_record(doors: Doors) -> None:
    await doors.apply(principal("leaver", SENDER), principal("stayer", SENDER))
    await send(doors.as_user("leaver"))
    told = await doors.apply(
        principal("stayer", SENDER), words=("--yes", "--as", "rita", "--reason", "contract ended")
    )
    assert told.code == 0

    assert (await doors.granted()).principals() == {f"{doors.prefix}stayer"}
    with pytest.raises(KafkaUnreachable, match="does not let the user"):
        await send(doors.as_user("leaver"))
    async with opened(doors.settings.postgres_dsn.get_secret_value()) as connection:
        rows = await connection.fetch(
            "SELECT actor, why, details FROM operator_actions WHERE target = $1 AND action = 'access.apply'"
            " AND actor = 'rita' ORDER BY at",
            f"principal/{doors.prefix}leaver",
        )
    assert [(row["actor"], row["why"]) for row in rows] == [("rita", "contract ended")] * 2
    assert {row["details"][0] for row in rows} == {"-"}


async def test_applying_again_changes_nothing(doors: Doors) -> None:
    await doors.apply(principal("same", SENDER))
    told = await doors.apply(principal("same", SENDER), words=("--yes", "--json"))
    assert told.json() == {"changes": [], "applied": False}


async def test_a_new_password_is_set_only_when_asked_for(doors: Doors) -> None:
    await doors.apply(principal("renewed", SENDER))
    path = doors.file(principal("renewed", SENDER))
    told = await doors.installation.type(
        "access", "apply", path, "--yes", "--renew-passwords", TEST_PASSWORD="another-password-for-tests"
    )
    assert told.code == 0
    with pytest.raises(KafkaUnreachable, match="does not let the user"):
        await send(doors.as_user("renewed"))
    await send(doors.as_user("renewed", CROUPIER_KAFKA_SASL_PASSWORD="another-password-for-tests"))
    assert "another-password" not in told.out + told.err


@pytest.mark.parametrize(
    ("allowed", "source", "let_in"),
    [
        ("127.0.0.2", "127.0.0.2", True),
        ("127.0.0.2", "127.0.0.1", False),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.2", False),
    ],
)
async def test_only_the_addresses_on_the_list_are_let_in(
    doors: Doors, allowed: str, source: str, let_in: bool
) -> None:
    assert (await doors.apply(principal("listed", SENDER, hosts=f'["{allowed}"]'))).code == 0
    ports = doors.stack.kafka.ports
    settings = doors.as_user("listed", CROUPIER_KAFKA_BOOTSTRAP=f"127.0.0.1:{ports.proxy}")
    async with TcpProxy(ports.proxied, port=ports.proxy, source=source):
        if let_in:
            await send(settings)
        else:
            with pytest.raises(AccessDenied):
                await send(settings)


async def throttled_ms(settings: Settings) -> int:
    """How long the broker holds back a sender of some 200 kB, by its own word (it measures over ten seconds)."""
    batch = batch_of([b"x" * 50_000])
    async with connected_client(settings) as client:
        leader = await leader_of(client, settings.events_topic, 0)
        answers = [
            await client.send(leader, ProduceRequest(None, -1, 5000, [(settings.events_topic, [(0, batch)])]))
            for _ in range(4)
        ]
    return sum(answer.throttle_time_ms for answer in answers)


async def test_who_goes_beyond_his_quota_is_held_back_and_nobody_else(doors: Doors) -> None:
    told = await doors.apply(
        principal("slow", SENDER, "quota.producer_bytes_per_second = 5_000"), principal("quick", SENDER)
    )
    assert told.code == 0
    patient = {"request_timeout_seconds": 60.0}
    assert await throttled_ms(doors.as_user("quick").model_copy(update=patient)) == 0
    assert await throttled_ms(doors.as_user("slow").model_copy(update=patient)) > 0


async def test_access_is_no_workers_business(doors: Doors) -> None:
    await doors.apply(principal("worker", 'role = "worker"'))
    told = await doors.acting_as("worker").type("access", "show", "--granted")
    assert told.code == 4
    assert "the right to the cluster" in told.err


async def test_what_an_installation_needs_is_shown_for_the_cluster_and_the_database(doors: Doors) -> None:
    told = await doors.installation.type("access", "show", "--json")
    assert told.code == 0
    needed = told.json()
    assert needed["cluster"]["sender"] == [f"write topic {doors.settings.events_topic}"]
    entries = {one["right"] for one in needed["database"] if one["on"] == "entries"}
    assert entries == {"insert", "select"}
    readers = {one["on"] for one in needed["database"] if one["login"] == "croupier_reader"}
    assert "balance_v1" in readers
    assert not readers & {"metadata", "parked", "dead_letters", "key_uses"}


async def test_a_workers_rights_are_enough_to_see_its_topics(doors: Doors) -> None:
    await doors.apply(principal("worker", 'role = "worker"'))
    await check_topics(doors.as_user("worker"), 4)
