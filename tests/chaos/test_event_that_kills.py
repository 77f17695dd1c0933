"""An event that ends the process whenever it is read: found by marking single events, condemned alone."""

from __future__ import annotations

import orjson
import pytest

from processor.devstack.replies import Place, read_letter, read_result
from processor.kafka.producing import EventSender
from processor.kafka.tailing import read_to_end
from tests.chaos.scene import Scene
from tests.unit.lane.world import deposit, open_player

_UNCLEAN_TAKE_OVERS = 3
_DEATHS_OVER_IT = 3


@pytest.mark.timeout(300)
async def test_an_event_that_ends_the_process_again_and_again_is_condemned_and_all_others_are_applied(
    scene: Scene,
) -> None:
    """Here every worker dies at whatever it reads first; the first event is as good as one that kills."""
    pill, others = open_player("p-1"), [open_player("p-2"), deposit("p-2", "d-1", "5.00")]
    async with EventSender(scene.settings) as sender:
        for event in [pill, *others]:
            await sender.send_and_wait(orjson.dumps(event), key=event["player_id"].encode(), partition=0)
    while (await scene.books.suspects()).get((0, 0), 0) < _DEATHS_OVER_IT:
        assert scene.deaths < 12, f"nothing was condemned: {await scene.books.suspects()}"
        await scene.dies_of_it(await scene.start("a", trouble="kill:3:before:+1"))
    assert scene.deaths > _DEATHS_OVER_IT + _UNCLEAN_TAKE_OVERS
    await scene.start("a")
    await scene.drained()
    await scene.stop_all()
    letters = [
        read_letter(one) async for one in read_to_end(scene.settings, scene.settings.dead_letters_topic)
    ]
    results = [read_result(one) async for one in read_to_end(scene.settings, scene.settings.results_topic)]
    assert [(letter.place, letter.reason) for letter in letters] == [(Place(0, 0), "POISON")]
    assert [(result.place, (result.body or {})["code"]) for result in results] == [
        (Place(0, 1), "OK"),
        (Place(0, 2), "OK"),
    ]
    assert scene.faults == []
