"""The thinnest whole path: events through real Kafka and real Postgres to their results."""

from __future__ import annotations

import orjson

from tests.installations import Database, Topics
from tests.integration.lane.house import bet, codes, deposit, make_house, open_player, rollback, win


async def test_a_bet_goes_through_kafka_and_postgres_to_its_result(
    database: Database, topics: Topics
) -> None:
    house = await make_house(database, topics)
    await house.send(
        open_player("p-7"), deposit("p-7", "100.00"), bet("p-7", "b-1", "2.50"), bet("p-7", "b-1", "2.50")
    )
    async with house.worker():
        records = await house.wait_for(4)
    results = [orjson.loads(record.value or b"") for record in records]
    assert [result["code"] for result in results] == ["OK"] * 4
    assert [result["replayed"] for result in results] == [False, False, False, True]
    assert [result["sequence"] for result in results] == [1, 2, 3, 4]
    assert results[2]["balance"]["cash"] == results[3]["balance"]["cash"] == "97.50"
    assert results[2]["wallet_transaction_id"] == results[3]["wallet_transaction_id"]


async def test_a_restarted_worker_goes_on_where_the_last_one_ended(
    database: Database, topics: Topics
) -> None:
    house = await make_house(database, topics)
    await house.send(open_player("p-7"), deposit("p-7", "10.00"))
    async with house.worker():
        await house.wait_for(2)
    await house.send(
        bet("p-7", "b-1", "1.00"), rollback("p-7", "c-1", "b-1"), win("p-7", "w-1", "b-1", "9.00")
    )
    async with house.worker():
        await house.wait_for(5)
    assert codes(await house.results()) == {
        "open-p-7-EUR": "OK",
        "deposit-p-7-1": "OK",
        "b-1": "OK",
        "c-1": "OK",
        "w-1": "ROLLED_BACK",
    }


async def test_what_cannot_be_read_becomes_a_dead_letter_with_its_bytes(
    database: Database, topics: Topics
) -> None:
    house = await make_house(database, topics)
    await house.send_raw(b"p-7", b"not json")
    await house.send(open_player("p-7"))
    async with house.worker():
        await house.wait_for(1)
        (letter,) = await house.wait_for(1, topic=house.settings.dead_letters_topic)
    assert (letter.key, letter.value) == (b"p-7", b"not json")
    headers = dict(letter.headers)
    assert headers["wallet-dlq-reason"] == b"UNDECODABLE"
    assert headers["__connect.errors.topic"] == topics.events.encode()


async def test_a_win_that_overtakes_its_bet_waits_for_it_and_holds_its_followers(
    database: Database, topics: Topics
) -> None:
    house = await make_house(database, topics)
    await house.send(open_player("p-7"), deposit("p-7", "10.00"), win("p-7", "w-1", "b-1", "5.00"))
    async with house.worker():
        await house.wait_for(2)
        await house.send(bet("p-7", "b-2", "1.00"))
        await house.send(bet("p-7", "b-1", "2.00"))
        records = await house.wait_for(5)
    order = [orjson.loads(record.value or b"")["transaction_id"] for record in records]
    assert order[2:] == ["b-1", "w-1", "b-2"]
