"""Wants: names, before anything is read, everything that deciding a command may look at."""

from __future__ import annotations

from processor.domain.commands import STAKE_TAKING, Command
from processor.domain.fingerprint import NAMES_ITS_BET
from processor.domain.keys import mark_key, reference_key, reversal_key, win_key
from processor.domain.profiles import Profile, Reference, stored_key
from processor.domain.state import Player
from processor.domain.wanted import Wanted


def want(command: Command, reference: Reference, wanted: Wanted, player: Player) -> None:
    """Add what the law may read for this command, which is ``player``'s, to what a batch wants."""
    provider, player_id, type_ = command.provider, command.player_id, command.type
    profile = reference.providers.get(provider)
    wanted.keys.add((provider, stored_key(profile, player_id, command.transaction_id, type_)))
    if player.tombstones:
        wanted.bets.add((player_id, provider, mark_key(profile, player_id, command.transaction_id)))
    if profile is not None and profile.id_includes_type:
        wanted.keys.add((provider, reference_key(profile, player_id, command.transaction_id)))
    for action in command.actions:
        want(action, reference, wanted, player)
    if command.round_id is not None:
        wanted.rounds.add((player_id, provider, command.round_id))
    if command.reference is not None:
        key = reference_key(profile, player_id, command.reference)
        wanted.keys.add((provider, key))
        wanted.bets.add((player_id, provider, mark_key(profile, player_id, command.reference)))
        if type_ in NAMES_ITS_BET:
            wanted.rounds_of.add((player_id, provider, key))
        if type_ in ("reverse_win", "adjust"):
            _want_win(command.reference, command, profile, wanted)
    if type_ == "bet_win":
        wanted.bets.add((player_id, provider, mark_key(profile, player_id, command.transaction_id)))
    if command.session_id is not None:
        if type_ in STAKE_TAKING:
            wanted.sessions.add((player_id, command.session_id))
        elif type_.endswith("_session"):
            wanted.whole_sessions.add((player_id, command.session_id))
            if type_ == "open_session":
                wanted.with_channels.add(player_id)


def _want_win(win_id: str, command: Command, profile: Profile | None, wanted: Wanted) -> None:
    """The win that a correction names, whether it was taken back, its round, and what became of its bet."""
    provider, player_id = command.provider, command.player_id
    key = win_key(profile, player_id, win_id)
    wanted.keys.add((provider, key))
    wanted.bets.add((player_id, provider, reversal_key(profile, player_id, win_id)))
    wanted.rounds_of.add((player_id, provider, key))
    wanted.bets_of.add((player_id, provider, key, mark_key(profile, player_id, "")))


def want_queues(player: Player, reference: Reference, wanted: Wanted) -> None:
    """Add what the player's queued commands may need: they may be decided in this batch too."""
    for queue in player.queues.values():
        for parked in queue:
            if parked.command is not None:
                want(parked.command, reference, wanted, player)
