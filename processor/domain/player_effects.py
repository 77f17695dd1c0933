"""Player effects: what a decision changes of the player himself: whether he may play, and his limits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from processor.domain.moment import Moment
from processor.domain.state import Bonus, Limit, Player

#: The end of an exclusion that has none: the last moment there is.
FOR_EVER: Final = datetime.max.replace(tzinfo=UTC)

#: How many bonuses of a player are remembered; a grant beyond it lets the oldest be forgotten.
MOST_BONUSES: Final = 100


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


@dataclass(slots=True)
class BonusGranted:
    """A bonus is the player's from now on; of one that he has already more must be staked."""

    bonus: Bonus

    def apply(self, player: Player, moment: Moment) -> None:
        granted = self.bonus
        for before in player.bonuses:
            if before.key == granted.key:
                more_minor = before.requirement_minor + granted.requirement_minor
                more = replace(before, requirement_minor=more_minor)
                player.bonuses = tuple(more if one is before else one for one in player.bonuses)
                return
        player.bonuses = (*player.bonuses, granted)[-MOST_BONUSES:]


@dataclass(slots=True)
class BonusEnded:
    """A bonus expired, or was released to the last of it."""

    bonus_id: str
    currency: str

    def apply(self, player: Player, moment: Moment) -> None:
        ended = (self.bonus_id, self.currency)
        player.bonuses = tuple(one for one in player.bonuses if one.key != ended)
