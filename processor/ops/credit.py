"""`croupier credit`: test money for a player, where money is not real."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from processor.errors import CroupierError, WrongUsage
from processor.ops.console import JsonOption, output, show_json
from processor.ops.runtime import load_settings, run_async

if TYPE_CHECKING:
    from processor.ops.event_file import EventLine
    from processor.settings import Settings

app = typer.Typer(add_completion=False)


@app.command()
def credit(
    player: Annotated[str, typer.Argument(help="The player's id.")],
    amount: Annotated[str, typer.Argument(help='A decimal amount, such as "100.00".')],
    currency: Annotated[str, typer.Argument(help="EUR, JPY, ETH …")],
    transaction_id: Annotated[
        str | None,
        typer.Option("--id", help="Its transaction id; the same again changes nothing. Default: new."),
    ] = None,
    timeout_seconds: Annotated[float, typer.Option(min=0.1, help="How long to wait for the result.")] = 30.0,
    as_json: JsonOption = False,
) -> None:
    """Give a player test money: a deposit from the cashier, through Kafka like any other, and wait for its result.

    Refused in production (CROUPIER_ENVIRONMENT). Exit code 1 where it was refused or nothing came in time.
    """
    from processor.ops.sending import publish_and_wait

    settings = load_settings()
    refuse_in_production(settings)
    event = _deposit(player, amount, currency, transaction_id or f"credit-{uuid.uuid4()}")
    (answer,) = run_async(publish_and_wait(settings, [event], timeout_seconds=timeout_seconds))
    if as_json:
        show_json(answer.document())
    else:
        output().print(answer.line())
    if not answer.is_result or answer.document().get("status") != "accepted":
        raise typer.Exit(1)


class NoTestMoneyHere(CroupierError):
    """Test money was asked for where money is real."""

    exit_code = 2


def refuse_in_production(settings: Settings) -> None:
    """Raises `NoTestMoneyHere` in production."""
    if settings.environment == "production":
        raise NoTestMoneyHere(
            "This is production (CROUPIER_ENVIRONMENT): there are no test credits here. "
            "Real money comes as a deposit from the cashier."
        )


def _deposit(player: str, amount: str, currency: str, transaction_id: str) -> EventLine:
    """The event, checked at the contract's door. Raises `WrongUsage` that says what is wrong with it."""
    from processor.ops.event_file import EventLine, faults

    document = {
        "type": "deposit",
        "provider": "cashier",
        "transaction_id": transaction_id,
        "player_id": player,
        "currency": currency,
        "amount": amount,
        "external_reference": "test credit",
        "occurred_at": datetime.now(UTC).isoformat(),
    }
    line = EventLine(1, orjson.dumps(document), player.encode())
    for fault in faults([line]):
        raise WrongUsage(f"This is no credit ({fault.reason}): {fault.detail}")
    return line
