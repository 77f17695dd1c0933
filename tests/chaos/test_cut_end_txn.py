"""The connection is cut between a commit in Kafka and its answer: no result is lost, none is doubled."""

from __future__ import annotations

import os
import signal

from processor.devstack.embedded import EmbeddedStack
from processor.devstack.stack import KAFKA_BOOTSTRAP
from tests.chaos.end_txn_proxy import EndTxnProxy
from tests.chaos.play import Play
from tests.chaos.report import Report
from tests.chaos.scene import Scene
from tests.chaos.waiting import until

_CUTS = 4


async def test_lost_answers_to_commits_cost_producers_and_nothing_else(
    scene: Scene, report: Report, servers: EmbeddedStack, proxy: EndTxnProxy
) -> None:
    play = Play(11)
    async with report.trying(scene, play, "answer to EndTxn lost", f"{_CUTS} cuts"):
        worker = await scene.start("a", **{KAFKA_BOOTSTRAP: servers.proxied_bootstrap})
        play.start(scene.settings)
        await worker.wait_ready()
        for cuts in range(1, _CUTS + 1):
            proxy.lose_next_answer()

            async def recovered(times: int = cuts) -> bool:
                return proxy.lost == times and worker.log.read_text().count("lane.recovering") >= times

            await until(recovered, lambda: f"a producer replaced after {proxy.lost} cuts; {scene.tails()}")
            await scene.progress()  # the next one cut is a batch's commit again, not the recovery's


async def test_a_commit_that_reaches_the_broker_in_the_next_transaction_commits_nothing_of_it(
    scene: Scene, report: Report, servers: EmbeddedStack, proxy: EndTxnProxy
) -> None:
    """A late EndTxn, at the worst moment: results of the next batch sent, its receipt not; and then the worker dies.

    Were the producer still the same, the broker would commit the results without their receipt, and whoever comes next
    would publish them again.
    """
    play = Play(12)
    async with report.trying(scene, play, "EndTxn comes too late", "then kill -9"):
        worker = await scene.start("a", **{KAFKA_BOOTSTRAP: servers.proxied_bootstrap})
        await worker.wait_ready()
        proxy.hold_next(lambda: os.kill(worker.pid, signal.SIGKILL))
        play.start(scene.settings)
        await scene.dies_of_it(worker)
        await scene.start("a", **{KAFKA_BOOTSTRAP: servers.proxied_bootstrap})
    assert proxy.held is not None
    assert proxy.held.answer not in (None, 0), "the broker took a commit that was late by a transaction"
