"""The audit of the topics names what somebody put there, took away, or changed."""

from __future__ import annotations

from typing import Any

import pytest

from processor.devstack.stack import security_of
from processor.kafka.producing import EventSender
from processor.kafka.tailing import TopicRecord, read_to_end
from processor.ops.topic_reading import reading
from processor.settings import Settings
from tests.acceptance.commands.conftest import Installation
from tests.acceptance.commands.test_operating import deposit, open_player
from tests.installations import make_topics


def settings_of(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in installation.environment.items():
        monkeypatch.setenv(name, value)
    return Settings()


async def last_result(settings: Settings) -> TopicRecord:
    async with reading(read_to_end(settings, settings.results_topic)) as records:
        return [record async for record in records][-1]


async def faults(installation: Installation) -> dict[str, Any]:
    audited = await installation.type("audit", "--full", "--results", "--json")
    found = {one["name"]: one["fault"] for one in audited.json()["proofs"] if one["fault"] is not None}
    assert audited.code == (1 if found else 0)
    return found


async def test_a_result_that_somebody_copied_is_found(
    worked: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = worked.events("eve.jsonl", open_player("eve"), deposit("eve", "5.00"))
    assert (await worked.type("send", file, "--wait")).code == 0
    assert await faults(worked) == {}
    settings = settings_of(worked, monkeypatch)
    copied = await last_result(settings)
    async with EventSender(settings, topic=settings.results_topic) as sender:
        await sender.send_and_wait(
            copied.value, key=copied.key, headers=copied.headers, partition=copied.partition
        )
    found = await faults(worked)
    assert found.keys() == {"results.one_answer", "results.sequences"}
    assert (
        f"has a second committed answer at {copied.topic} {copied.partition}@" in found["results.one_answer"]
    )
    people = await worked.type("audit", "--full", "--results")
    assert "FAULT" in people.out
    assert "The books are NOT clean." in people.out


async def test_a_record_that_is_no_result_is_found(
    worked: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(worked, monkeypatch)
    async with EventSender(settings, topic=settings.results_topic) as sender:
        await sender.send_and_wait(b"\xff\x00", key=None, partition=0)
    assert "names no batch" in (await faults(worked))["results.readable"]


async def test_topics_that_lost_everything_are_found(worked: Installation) -> None:
    given = worked.environment
    fresh = await make_topics(
        given["CROUPIER_KAFKA_BOOTSTRAP"], int(given["CROUPIER_PARTITIONS"]), security_of(given)
    )
    empty = {"CROUPIER_RESULTS_TOPIC": fresh.results, "CROUPIER_DEAD_LETTERS_TOPIC": fresh.dead_letters}
    file = worked.events("eve2.jsonl", deposit("eve", "5.00", 2), deposit("eve", "5.00", 3))
    for _ in range(2):  # what is published is noted in Postgres with the batch after it
        assert (await worked.type("send", file, "--wait")).code == 0
    audited = await worked.type("audit", "--results", "--json", **empty)
    found = {one["name"] for one in audited.json()["proofs"] if one["fault"] is not None}
    assert audited.code == 1
    assert "results.first_published" in found
    assert "results.batches" in found
