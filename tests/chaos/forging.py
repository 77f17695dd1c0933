"""What senders sign, and what forgers send in their name: each forgery with the dead letter that it must become."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final

from processor.devstack.traffic.event import Player, Table, TrafficEvent
from processor.devstack.traffic.providers import HOUSE_RULES
from processor.keys import writing
from processor.keys.ring import KeyRing
from processor.keys.signer import EventSigner
from processor.settings import Settings
from schemas.signing import KEY_ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER

#: By forgery, the reason of its dead letter.
FORGERIES: Final[Mapping[str, str]] = {
    "without a signature": "BAD_SIGNATURE",
    "signed for another event": "BAD_SIGNATURE",
    "signed with a key that nobody knows": "UNKNOWN_KEY",
    "signed yesterday": "STALE_TIMESTAMP",
}
_A_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Forged(TrafficEvent):
    """An event that nothing is wrong with but its signature."""

    forgery: str = ""


def forged(table: Table, player: Player, chance: Random) -> Forged:
    """A deposit that the cashier never sent."""
    forgery = chance.choice(list(FORGERIES))
    fields = {"currency": player.currency, "amount": "1000"}
    event = table.event(player, "deposit", "cashier", f"a deposit {forgery}", **fields)
    return Forged(event.key, event.value, event.what, None, FORGERIES[forgery], forgery)


def make_keys(directory: Path, settings: Settings) -> None:
    """A key for everybody who sends."""
    directory.mkdir()
    for owner in ("cashier", "operator", *HOUSE_RULES):
        writing.make(directory, owner=owner, environment=settings.environment, now=datetime.now(UTC))


class Signatures:
    """The headers of each event, honest or forged, where the installation asks for signatures; else none."""

    def __init__(self, settings: Settings) -> None:
        self._signer: EventSigner | None = None
        if settings.signing == "required" and settings.keys_directory is not None:
            ring = KeyRing(settings.keys_directory, environment=settings.environment)
            ring.load()
            self._signer = EventSigner(ring)
            self._old = EventSigner(ring, now_ms=lambda: time.time_ns() // 1_000_000 - _A_DAY_MS)

    @property
    def asked_for(self) -> bool:
        """Whether a forgery is one."""
        return self._signer is not None

    def of(self, event: TrafficEvent) -> list[tuple[str, bytes]]:
        """To be sent now."""
        if self._signer is None:
            return []
        forgery = event.forgery if isinstance(event, Forged) else ""
        if forgery == "without a signature":
            return []
        if forgery == "signed yesterday":
            return self._old(event.value)
        headers = dict(self._signer(event.value))
        if forgery == "signed for another event":
            headers[SIGNATURE_HEADER] = dict(self._signer((event.value or b"") + b" "))[SIGNATURE_HEADER]
        elif forgery:
            headers[KEY_ID_HEADER] = b"nobodys-1"
        return [(name, headers[name]) for name in (KEY_ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER)]
