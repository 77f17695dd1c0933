"""The stack in containers: tried where a Docker engine answers, and clear about itself where none does."""

from __future__ import annotations

import pytest

from processor.devstack.containers import ContainersStack, NoContainers, require_engine
from processor.devstack.stack import KAFKA_BOOTSTRAP, POSTGRES_DSN, POSTGRES_MIGRATOR_DSN, ExternalStack


def _reason_why_not() -> str | None:
    try:
        require_engine()
    except NoContainers as reason:
        return str(reason)
    return None


async def test_it_starts_and_answers_or_says_why_there_are_no_containers() -> None:
    why_not = _reason_why_not()
    if why_not is None:
        async with ContainersStack() as stack:
            await ExternalStack(stack.environment()).start()
        return
    with pytest.raises(NoContainers, match="embedded stack"):
        await ContainersStack().start()


def test_it_names_the_same_variables_as_every_stack() -> None:
    names = {KAFKA_BOOTSTRAP, POSTGRES_DSN, POSTGRES_MIGRATOR_DSN}

    assert ContainersStack().environment().keys() == names
