"""What `croupier dead-letters edit` does: a payload is corrected, proved against the door, and sent as a new event.

The old letter keeps its bytes and becomes ``resent``; the new event names it in its headers, so that the story shows
both, also where the new one is set aside again.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from processor.errors import CroupierError, WrongUsage
from processor.kafka.producing import EventSender, partition_for
from processor.ops.desk import NotFound, open_desk, stored_layout
from processor.ops.event_file import player_key
from processor.ops.preview import Fate, Foreseen, PastEvent, foresee
from processor.ops.replay import edited_headers
from processor.ops.signing import correction_headers
from processor.postgres.desk.letters import OPEN, RESENDING, RESENT, Header, Move, Original, find, move
from processor.settings import Settings

_EDITOR = "vi"


class EditRefused(CroupierError):
    """The corrected event would be set aside again, or the letter is not open any more."""


@dataclass(frozen=True, slots=True)
class Edited:
    """What came of an edit: where the new event is, and what the wallet was about to answer to it."""

    letter_id: str
    partition: int
    offset: int
    foreseen: str


async def open_original(settings: Settings, letter_id: str) -> Original:
    """The letter to be edited. Raises `desk.NotFound`, `EditRefused` unless it is open."""
    async with open_desk(settings) as desk:
        original = await find(desk, letter_id)
    if original is None:
        raise NotFound(f"There is no dead letter {letter_id}.")
    if original.letter.status != OPEN:
        raise EditRefused(f"Letter {letter_id} is {original.letter.status}; only an open one can be edited.")
    return original


def in_editor(value: bytes | None) -> bytes:
    """The payload as it leaves the person's editor (``$VISUAL``, ``$EDITOR``, vi). Raises `errors.WrongUsage`."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or _EDITOR
    with tempfile.TemporaryDirectory(prefix="croupier-") as folder:
        file = Path(folder) / "event.json"
        file.write_bytes(value or b"")
        try:
            done = subprocess.run([*shlex.split(editor), str(file)], check=False)
        except OSError as error:
            raise WrongUsage(
                f"The editor {editor} cannot be started ({error.strerror}): set EDITOR, or give the payload "
                "with --file."
            ) from error
        if done.returncode != 0:
            raise WrongUsage(f"The editor ended with {done.returncode}; nothing was sent.")
        return file.read_bytes().rstrip(b"\n")


async def foresee_edit(settings: Settings, original: Original, value: bytes) -> Foreseen:
    """What the wallet would answer to the corrected payload now. Raises `EditRefused` where nothing was corrected."""
    if value == original.value:
        raise EditRefused(
            "The payload is what it was: nothing to send. `croupier dead-letters replay` sends it again."
        )
    key, layout = player_key(value), await stored_layout(settings)
    partitions = settings.partitions if layout is None else layout.partitions
    partition = 0 if key is None else partition_for(key, partitions)
    (foreseen,) = await foresee(
        settings, [PastEvent(partition, key, value, _headers(settings, original, value))]
    )
    return foreseen


async def send_edit(
    settings: Settings, original: Original, value: bytes, foreseen: Foreseen, *, actor: str, why: str
) -> Edited:
    """Send the corrected payload as a new event, and note both. Raises `EditRefused`, `errors.KafkaUnreachable`."""
    letter, key = original.letter, player_key(value)
    if foreseen.fate is Fate.REFUSED:
        raise EditRefused(
            f"It would be set aside again, so it was not sent: {foreseen.code}: {foreseen.detail}"
        )
    digest = sha256(value).hexdigest()
    headers = _headers(settings, original, value)
    async with open_desk(settings) as desk, EventSender(settings) as sender:
        if not await move(
            desk, letter.letter_id, OPEN, RESENDING, Move(actor, "dead-letters.edit", why, digest)
        ):
            raise EditRefused(f"Letter {letter.letter_id} is not open any more: somebody else took it.")
        sent = await sender.send_and_wait(value, key=key, headers=headers)
        where = f"new event {sent.partition}@{sent.offset}, sha256 {digest}"
        await move(desk, letter.letter_id, RESENDING, RESENT, Move(actor, "dead-letters.resent", why, where))
    return Edited(letter.letter_id, sent.partition, sent.offset, foreseen.words())


def _headers(settings: Settings, original: Original, value: bytes) -> list[Header]:
    """What names the old letter, and the operator's signature where this installation signs."""
    letter = original.letter
    return [*edited_headers(letter, original.headers), *correction_headers(settings, letter.letter_id, value)]
