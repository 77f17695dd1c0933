"""`croupier lanes`: who holds each lane and how far it is; let one that stopped go on; let another layout follow."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from processor.errors import WrongUsage
from processor.ops.console import AsOption, JsonOption, YesOption, cell, output, show_json, show_table
from processor.ops.runtime import actor, load_settings, run_async

if TYPE_CHECKING:
    from processor.ops.layout_change import Changed
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


@app.command()
def show(
    lane: Annotated[int, typer.Argument(min=0, help="The lane's number.")], as_json: JsonOption = False
) -> None:
    """Show one lane: its row, the receipt and the last batch on the topics, its journal, what people did with it."""
    from processor.ops.lane_story import print_story, story

    told = run_async(story(load_settings(), lane))
    if as_json:
        show_json(told.as_json())
    else:
        print_story(told)


@app.command("set-receipt")
def set_receipt(
    lane: Annotated[int, typer.Argument(min=0, help="The lane's number.")],
    seq: Annotated[int, typer.Argument(min=0, help="The last batch that Kafka holds, as you found out.")],
    reason: Annotated[str, typer.Option(help="How you know, for the audit trail; required.")] = "",
    as_: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say which batch Kafka holds, for a lane that stopped with ReceiptUnknown, and let it go on.

    What is above is published, what is not is not: if you are wrong, results are published twice or not at all.
    """
    _require(reason, "how you know what Kafka holds")
    settings = load_settings()
    said = run_async(_set_receipt(settings, lane, seq, actor(as_), reason))
    if as_json:
        show_json({"lane": lane, "receipt": seq, "set": said})
    elif said:
        output().print(f"Lane {lane} goes on: Kafka holds batch {seq}; what is above is published.")
    else:
        output().print(
            "Nothing was changed: this lane has not stopped with ReceiptUnknown, or it cannot be that batch "
            f"(`croupier lanes show {lane}` tells)."
        )
    if not said:
        raise typer.Exit(1)


@app.command()
def settle(
    reason: Annotated[str, typer.Option(help="Why, for the audit trail.")] = "",
    as_: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Note in Postgres that Kafka holds everything, while no worker runs: before a copy, or another cluster."""
    from processor.ops.layout_change import settle as settle_layout

    layout = run_async(settle_layout(load_settings(), actor=actor(as_), why=reason))
    if as_json:
        show_json({"settled": layout.number, "lanes": layout.lanes})
    else:
        output().print(
            f"Settled: Kafka holds every batch of the {layout.lanes} lanes of layout {layout.number}."
        )


@app.command()
def resize(
    lanes: Annotated[
        int | None, typer.Option(min=1, max=256, help="Lanes from now on. Default: as many as now.")
    ] = None,
    new_topic: Annotated[
        bool, typer.Option("--new-topic", help="The events topic is another one (another cluster).")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why, for the audit trail; required.")] = "",
    as_: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let another layout follow: other lanes, the partitions that the topics have now. Every worker is stopped before,
    and everything that was applied is published."""
    from processor.ops.layout_change import resize as resize_lanes

    _require(reason, "why the lanes change")
    changed = run_async(
        resize_lanes(load_settings(), lanes=lanes, new_topic=new_topic, actor=actor(as_), why=reason)
    )
    _show_changed(changed, as_json)


@app.command("accept-gap")
def accept_gap(
    reason: Annotated[
        str, typer.Option(help="Why nothing better is left, for the audit trail; required.")
    ] = "",
    yes: YesOption = False,
    as_: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go on with books that were restored behind Kafka: the events of the lost batches are decided again.

    Their first results stay on the topic and are no longer true. Without --yes it only tells which batches these are.
    """
    from processor.ops.layout_change import accept_gap as accept
    from processor.ops.layout_change import find_gaps

    settings = load_settings()
    _require(reason, "why the commits are gone for good")
    if not yes:
        rest, gaps = run_async(find_gaps(settings))
        if as_json:
            show_json(
                {"layout": rest.layout.number, "gaps": [gap._asdict() for gap in gaps], "accepted": False}
            )
        else:
            show_table("Published and not in the books", (">lane", ">after batch", ">up to batch"), gaps)
            output().print("Nothing was changed: add --yes to decide the events of these batches again.")
        if gaps:
            raise typer.Exit(1)
        return
    _show_changed(run_async(accept(settings, actor=actor(as_), why=reason)), as_json)


def _require(reason: str, what: str) -> None:
    if not reason.strip():
        raise WrongUsage(f"Say with --reason {what}; it is kept in the audit trail.")


def _show_changed(changed: Changed | None, as_json: bool) -> None:
    if as_json:
        told = {} if changed is None else asdict(changed) | {"gaps": [gap._asdict() for gap in changed.gaps]}
        show_json({"changed": changed is not None, **told})
    elif changed is None:
        output().print("Nothing to change: the lanes are as they were asked for.")
    else:
        after = changed.after
        gaps = "".join(
            f" Lane {gap.lane}: the events of batches {gap.after_seq + 1} to {gap.up_to_seq} are decided again."
            for gap in changed.gaps
        )
        output().print(
            f"Layout {after.number}: {after.lanes} lanes over {after.partitions} partitions.{gaps} "
            "Start the workers; leave CROUPIER_LANES out, or set it to the new number."
        )


async def _set_receipt(settings: Settings, lane: int, seq: int, who: str, why: str) -> bool:
    from processor.ops.at_rest import current_layout
    from processor.ops.desk import open_desk
    from processor.postgres.desk.lanes import set_receipt as note_receipt

    async with open_desk(settings) as desk:
        layout = await current_layout(desk)
        return await note_receipt(desk, layout.number, lane, seq, actor=who, why=why)


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
        event = f"{lane.suspect_partition}@{lane.suspect_offset}"
        state = cell(f"suspects the event {event}: {lane.suspect_deaths} deaths over it", "yellow")
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
