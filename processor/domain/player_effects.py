"""Player effects: what a decision changes of the player himself: whether he may play, and his limits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from processor.domain.moment import Moment
from processor.domain.state import Limit, Player

#: The end of an exclusion that has none: the last moment there is.
FOR_EVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class PlayerBlocked:
    """The operator blocks a player, or ends his block."""

    blocked: bool

    def apply(self, player: Player, moment: Moment) -> None:
        player.blocked = self.blocked


@dataclass(slots=True)
class PlayerExcluded:
    """A player excludes himself or takes a break: an exclusion is made longer, never shorter."""

    until: datetime

    def apply(self, player: Player, moment: Moment) -> None:
        if player.excluded_until is None or player.excluded_until < self.until:
            player.excluded_until = self.until


@dataclass(slots=True)
class LimitsChanged:
    """The player's limits are these from now on."""

    limits: tuple[Limit, ...]

    def apply(self, player: Player, moment: Moment) -> None:
        player.limits = self.limits
