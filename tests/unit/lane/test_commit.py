"""Step 8: where the answer to COMMIT is lost, the lane's row says whether it happened."""

from __future__ import annotations

import pytest

from processor.errors import LeaseLost, LedgerUnavailable, LedgerWentBack
from processor.lane.commit import commit
from processor.lane.work import Position
from tests.contract.ledger.bookkeeper import Bookkeeper, opening
from tests.fakes.ledger import gone, lost_answer
from tests.unit.lane.world import World


@pytest.fixture
def world() -> World:
    return World()


async def commit_a_batch(world: World) -> Position:
    """Fence, write and commit one batch of a fresh lane; its position as the lane remembers it before."""
    keeper = await Bookkeeper.of(world.ledger(), 0)
    position = Position.of(keeper.row)
    async with keeper.ledger.batch() as transaction:
        await keeper.write(transaction, opening("p-1"))
        await commit(transaction, world.ledger(), position, world.patience(0))
    return position


async def test_a_commit_that_is_answered_is_believed(world: World) -> None:
    await commit_a_batch(world)
    assert world.store.lanes[1, 0].applied_seq == 1


async def test_a_commit_whose_answer_was_lost_has_happened_where_the_row_says_so(world: World) -> None:
    world.store.fail_next("commit-after", lost_answer())
    await commit_a_batch(world)
    assert world.store.lanes[1, 0].applied_seq == 1


async def test_a_commit_that_did_not_happen_is_a_fault_of_the_world(world: World) -> None:
    world.store.fail_next("commit", lost_answer())
    with pytest.raises(LedgerUnavailable, match="was not committed"):
        await commit_a_batch(world)
    assert world.store.lanes[1, 0].applied_seq == 0


async def test_the_row_is_asked_again_while_postgres_is_away(world: World) -> None:
    world.store.fail_next("commit-after", lost_answer())
    for _ in range(3):
        world.store.fail_next("confirm", gone())
    await commit_a_batch(world)
    assert world.observer.words().count("retrying") == 3


async def test_a_row_that_another_owner_took_meanwhile_ends_the_lease(world: World) -> None:
    world.store.fail_next("commit", lost_answer())
    real = world.store.trip

    def take_over(step: str) -> None:
        if step == "confirm":
            world.store.lanes[1, 0].epoch += 1
        real(step)

    world.store.trip = take_over  # type: ignore[method-assign]  # somebody takes the lane in between
    with pytest.raises(LeaseLost):
        await commit_a_batch(world)


async def test_a_row_that_is_neither_before_nor_after_is_a_database_gone_back() -> None:
    world = World()
    world.store.fail_next("commit", lost_answer())
    real = world.store.trip

    def restore(step: str) -> None:
        if step == "confirm":
            world.store.lanes[1, 0].applied_seq = 7
        real(step)

    world.store.trip = restore  # type: ignore[method-assign]  # somebody restores the database in between
    with pytest.raises(LedgerWentBack):
        await commit_a_batch(world)
