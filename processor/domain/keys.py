"""Keys: under which name an id, and what has happened to a bet, are kept within a provider."""

from __future__ import annotations

from typing import Final

from processor.domain.commands import STAKE_TAKING, Command
from processor.domain.profiles import Profile, stored_key

#: Types whose id a reference may mean.
REFERENCED: Final = ("bet", "bet_win")

#: What a win without reference waits for: any bet of a round. An id never starts with this character.
ROUND_PREFIX: Final = "\x1f"


def mark_key(profile: Profile | None, player_id: str, transaction_id: str) -> str:
    """The key of a bet's mark: as the stored key, but without the type, for a tombstone catches any type."""
    if profile is None or profile.id_scope == "provider":
        return transaction_id
    return f"{transaction_id}\x1f{player_id}"


def reference_key(profile: Profile | None, player_id: str, transaction_id: str) -> str:
    """The stored key a referred-to bet has, or a bet_win."""
    return stored_key(profile, player_id, transaction_id, "bet")


def win_key(profile: Profile | None, player_id: str, transaction_id: str) -> str:
    """The stored key a referred-to win has."""
    return stored_key(profile, player_id, transaction_id, "win")


def reversal_key(profile: Profile | None, player_id: str, transaction_id: str) -> str:
    """The key of the mark that a reversal leaves on a win; no bet's mark has it."""
    return f"\x1f{mark_key(profile, player_id, transaction_id)}"


def answers_wait(command: Command, awaits: str, profile: Profile | None) -> bool:
    """Whether this command is what a parked one waits for."""
    if command.actions and any(
        action.type == "bet" and answers_wait(action, awaits, profile) for action in command.actions
    ):
        return True
    if awaits.startswith(ROUND_PREFIX):
        return command.type in STAKE_TAKING and command.round_id == awaits[len(ROUND_PREFIX) :]
    if profile is not None and profile.id_includes_type and command.type not in STAKE_TAKING:
        return False
    return mark_key(profile, command.player_id, command.transaction_id) == awaits
