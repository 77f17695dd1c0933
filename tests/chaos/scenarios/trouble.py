"""What a trouble is: something that is done to an installation under load, and undone again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager
from random import Random
from typing import ClassVar, Self

from tests.chaos.scenarios.stage import Stage


class Trouble(ABC):
    """One row of the table. A frozen dataclass: its fields are what the seed has drawn, and nothing else.

    ``name``     what people call it
    ``touches``  what it acts on; two troubles that touch the same thing are no pair
    ``needs``    parts of the stage that are built only where they are wanted
    ``lasts``    between how many seconds it goes on before it is healed
    """

    name: ClassVar[str]
    touches: ClassVar[frozenset[str]]
    needs: ClassVar[frozenset[str]] = frozenset()
    lasts: ClassVar[tuple[float, float]] = (1.0, 3.0)

    @classmethod
    def drawn(cls, chance: Random) -> Self:
        """One of its kind, by chance; where there is nothing to draw, the only one."""
        return cls()

    def words(self) -> str:
        """The trouble with its details, for the table."""
        return self.name

    @abstractmethod
    def made(self, stage: Stage) -> AbstractAsyncContextManager[None]:
        """Injected on entering, healed on leaving. Raises AssertionError where it was not seen to bite."""
