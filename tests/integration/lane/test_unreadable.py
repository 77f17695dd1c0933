"""Bytes that the Kafka client itself cannot take apart, among good ones."""

from __future__ import annotations

import orjson

from tests.installations import Database, Topics
from tests.integration.kafka.raw_produce import batch_with_bad_header_keys, produce_raw
from tests.integration.lane.house import bet, codes, deposit, make_house, open_player


async def test_a_record_that_the_client_cannot_parse_becomes_a_dead_letter_and_holds_nobody_up(
    database: Database, topics: Topics
) -> None:
    house = await make_house(database, topics)
    await house.send(open_player("p-7"), deposit("p-7", "10.00"))
    async with house.worker():
        await house.wait_for(2)
        for partition in range(topics.partitions):
            batch = batch_with_bad_header_keys([b"odd", b"odder"])
            await produce_raw(house.settings, topics.events, partition, batch)
        await house.send(bet("p-7", "b-1", "1.00"), bet("p-7", "b-2", "1.00"))
        await house.wait_for(4)
        letters = await house.wait_for(2 * topics.partitions, topic=topics.dead_letters)
    assert codes([orjson.loads(one.value or b"") for one in await house.wait_for(4)])["b-2"] == "OK"
    headers = [dict(one.headers) for one in letters]
    assert {one["wallet-dlq-reason"] for one in headers} == {b"UNDECODABLE"}
    places = {(one["wallet-dlq-partition"], one["wallet-dlq-offset"]) for one in headers}
    assert len(places) == len(letters) == 2 * topics.partitions
    assert {one.value for one in letters} == {b"odd", b"odder"}
