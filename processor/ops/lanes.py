"""`croupier lanes`: who holds each lane and how far it is; let one that stopped go on."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from processor.errors import WrongUsage
from processor.ops.console import AsOption, JsonOption, cell, output, show_json, show_table
from processor.ops.runtime import actor, load_settings, run_async

if TYPE_CHECKING:
    from processor.postgres.desk.lanes import LaneState
    from processor.settings import Settings

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Lanes.")


@app.command("list")
def list_lanes(as_json: JsonOption = False) -> None:
    """Show every lane of the layout: owner, batches applied and published, why one stopped. Exit 1 where one
    did."""
    lanes = run_async(_lanes(load_settings()))
    if as_json:
        show_json([asdict(lane) for lane in lanes])
    elif not lanes:
        output().print("No lanes yet: the first `croupier run` makes them.")
    else:
        columns = (">lane", "owner", ">epoch", ">applied", ">published", ">journal", "partitions", "state")
        show_table(f"Layout {lanes[0].layout}", columns, [_cells(lane) for lane in lanes])
    if any(lane.stopped_reason is not None for lane in lanes):
        raise typer.Exit(1)


@app.command()
def resume(
    lane: Annotated[int | None, typer.Argument(min=0, help="The lane's number.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All lanes that stopped.")] = False,
    reason: Annotated[str, typer.Option(help="Why it may go on, for the audit trail.")] = "",
    as_: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a lane that stopped itself go on. Find out first why it stopped: `croupier lanes list` tells."""
    if (lane is None) != every:
        raise WrongUsage("Name one lane, or --all.")
    if not reason.strip():
        raise WrongUsage("Say with --reason why the lane may go on; it is kept in the audit trail.")
    resumed, asked = run_async(_resume(load_settings(), lane, actor(as_), reason))
    if as_json:
        show_json({"resumed": resumed, "not_stopped": sorted(set(asked) - set(resumed))})
    elif resumed:
        output().print(
            f"Lanes that go on: {', '.join(map(str, resumed))}. Their workers take them up again by themselves."
        )
    if not resumed:
        if not as_json:
            output().print("Nothing to resume: no such lane has stopped.")
        raise typer.Exit(1)


async def _lanes(settings: Settings) -> list[LaneState]:
    from processor.ops.desk import open_desk
    from processor.postgres.desk.lanes import lanes

    async with open_desk(settings) as desk:
        return await lanes(desk)


async def _resume(settings: Settings, lane: int | None, who: str, reason: str) -> tuple[list[int], list[int]]:
    from processor.ops.desk import open_desk
    from processor.postgres.desk.lanes import lanes
    from processor.postgres.desk.lanes import resume as resume_lane

    async with open_desk(settings) as desk:
        asked = (
            [lane]
            if lane is not None
            else [state.lane for state in await lanes(desk) if state.stopped_reason]
        )
        return [number for number in asked if await resume_lane(desk, number, actor=who, why=reason)], asked


def _cells(lane: LaneState) -> tuple[object, ...]:
    if lane.stopped_reason is not None:
        state = cell(f"stopped: {lane.stopped_reason}", "red")
    elif lane.owner is None:
        state = cell("nobody has it", "yellow")
    elif lane.suspect_partition is not None:
        state = cell(f"suspects the event {lane.suspect_partition}@{lane.suspect_offset}", "yellow")
    else:
        state = cell("owned", "green")
    partitions = ",".join(map(str, lane.partitions))
    return (
        lane.lane,
        lane.owner or "-",
        lane.epoch,
        lane.applied_seq,
        lane.published_seq,
        lane.journal_batches,
        partitions,
        state,
    )
