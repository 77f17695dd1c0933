"""The account: players are opened, sessions open and close."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from processor.domain.case import Case
from processor.domain.decision import OK, Decision
from processor.domain.effects import SessionClosed, SessionOpened, WalletOpened

#: How long a session lasts where its sender does not say.
SESSION_LASTS: Final = timedelta(hours=24)


def open_player(case: Case) -> Decision:
    """Open a player, or one more currency of his; opening the same twice is OK and changes nothing."""
    command = case.command
    assert command.currency is not None, "open_player names a currency"
    if command.currency in case.player.currencies:
        return Decision(OK)
    opened = WalletOpened(
        command.currency,
        command.partition,
        command.own_field("country"),
        command.own_field("time_zone"),
        command.own_field("jurisdiction"),
    )
    return Decision(OK, effects=(opened,))


def open_session(case: Case) -> Decision:
    """Begin a session; the older one on the same channel is replaced."""
    command = case.command
    assert command.session_id is not None, "open_session names its session"
    assert command.currency is not None, "open_session names a currency"
    expires = command.own_field("expires_at")
    opened = SessionOpened(
        command.session_id,
        command.provider,
        command.own_field("channel") or "web",
        command.currency,
        command.game_id,
        datetime.fromisoformat(expires) if expires else case.moment.broker_time + SESSION_LASTS,
    )
    return Decision(OK, effects=(opened,))


def close_session(case: Case) -> Decision:
    """End a session; one that is unknown or over already is as closed as it can be."""
    session_id = case.command.session_id or ""
    if session_id not in case.player.sessions:
        return Decision(OK)
    return Decision(OK, effects=(SessionClosed(session_id),))
