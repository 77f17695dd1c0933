"""A TCP proxy that makes trouble between a client and a server of the stack: delays, silence, cuts.

It knows nothing of what it carries. Trouble is switched on and off while it runs; where chance plays a part (how much
longer than the delay, where within a response it cuts) it comes from the seed.

    both ways or one:   TO_SERVER, TO_CLIENT
    delay               every piece waits, and keeps its order
    drop                pieces vanish; the connection stays, as behind a firewall that went silent
    cut                 connections end at once (reset)
    cut within          the next piece that way is passed in part, then the connection ends
    refuse              new connections are closed as soon as they come
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import random
import socket
import struct
from dataclasses import dataclass, field
from typing import Self

_PIECE_BYTES = 65_536
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 seconds; closing then sends RST


class Direction(enum.Enum):
    """Which way bytes go."""

    TO_SERVER = "to server"
    TO_CLIENT = "to client"


BOTH = (Direction.TO_SERVER, Direction.TO_CLIENT)


@dataclass
class Trouble:
    """What happens to bytes that go one way."""

    delay_seconds: float = 0.0
    jitter_seconds: float = 0.0
    drop: bool = False
    cut_within: bool = False


@dataclass
class _Connection:
    """One connection that is carried: its two ends, and who carries its bytes."""

    writers: tuple[asyncio.StreamWriter, asyncio.StreamWriter]
    pumps: list[asyncio.Task[None]] = field(default_factory=list)

    def cut(self) -> None:
        """End it by reset on both sides."""
        for writer in self.writers:
            _reset(writer)
        for pump in self.pumps:
            pump.cancel()


class _Cut(Exception):
    """This connection ends now."""


class TcpProxy:
    """Listens on a port of the loopback address and carries every connection to the server."""

    def __init__(self, server_port: int, *, port: int = 0, seed: int = 0, source: str | None = None) -> None:
        """`port` 0 takes any free one; it is known once the proxy is started.

        `source` is the address of this machine that the server sees: 127.0.0.2 is another one for an allow-list.
        """
        self.port = port
        self.server_port = server_port
        self._source = source
        self.carried_bytes = 0
        self._troubles = {direction: Trouble() for direction in Direction}
        self._refuse = False
        self._chance = random.Random(seed)
        self._listener: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], _Connection] = {}

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def connections(self) -> int:
        """How many connections are carried now."""
        return len(self._connections)

    async def start(self) -> None:
        """Listen; raises OSError if the port is taken."""
        self._listener = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no longer and end what is carried."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()
        await self.cut()
        if listener is not None:
            await listener.wait_closed()

    async def cut(self) -> None:
        """End every connection now, both sides, by reset."""
        ended = dict(self._connections)
        for connection in ended.values():
            connection.cut()
        if ended:
            await asyncio.wait(ended)

    def delay(self, seconds: float, jitter_seconds: float = 0.0, *directions: Direction) -> None:
        """Hold every piece back for so long, and by chance up to `jitter_seconds` longer."""
        for trouble in self._chosen(directions):
            trouble.delay_seconds = seconds
            trouble.jitter_seconds = jitter_seconds

    def drop(self, *directions: Direction) -> None:
        """Let everything vanish that way; what vanished does not come back with `heal`, so cut after it."""
        for trouble in self._chosen(directions):
            trouble.drop = True

    def cut_within_next(self, direction: Direction = Direction.TO_CLIENT) -> None:
        """Pass a part of the next piece that way, then end its connection; once."""
        self._troubles[direction].cut_within = True

    def refuse(self) -> None:
        """Close new connections as soon as they come; those that are carried go on."""
        self._refuse = True

    def heal(self) -> None:
        """No trouble from now on."""
        self._refuse = False
        self._troubles = {direction: Trouble() for direction in Direction}

    def _chosen(self, directions: tuple[Direction, ...]) -> list[Trouble]:
        return [self._troubles[direction] for direction in directions or BOTH]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or self._refuse:
            _reset(writer)
            return
        try:
            server_reader, server_writer = await asyncio.open_connection(
                "127.0.0.1", self.server_port, local_addr=(self._source, 0) if self._source else None
            )
        except OSError:
            _reset(writer)
            return
        connection = self._connections[task] = _Connection((writer, server_writer))
        try:
            # When one way fails, the group ends the other.
            async with asyncio.TaskGroup() as group:
                to_server = self._pump(reader, server_writer, Direction.TO_SERVER)
                to_client = self._pump(server_reader, writer, Direction.TO_CLIENT)
                connection.pumps = [group.create_task(to_server), group.create_task(to_client)]
        except* (_Cut, OSError):
            connection.cut()
        finally:
            for end in connection.writers:
                end.close()
            del self._connections[task]

    async def _pump(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, direction: Direction
    ) -> None:
        """Carry pieces one way until the source ends; then tell the target that no more will come."""
        while piece := await source.read(_PIECE_BYTES):
            trouble = self._troubles[direction]
            if wait_seconds := self._wait_seconds(trouble):
                await asyncio.sleep(wait_seconds)
            if trouble.drop:
                continue
            if trouble.cut_within:
                trouble.cut_within = False
                await self._pass_part(piece, target)
                raise _Cut
            target.write(piece)
            await target.drain()
            self.carried_bytes += len(piece)
        if target.can_write_eof():
            target.write_eof()

    def _wait_seconds(self, trouble: Trouble) -> float:
        return trouble.delay_seconds + self._chance.uniform(0, trouble.jitter_seconds)

    async def _pass_part(self, piece: bytes, target: asyncio.StreamWriter) -> None:
        """At least nothing, at most all but the last byte."""
        target.write(piece[: self._chance.randrange(len(piece))])
        await target.drain()
        target.close()  # in order, so that the part arrives; the reset that follows comes after it
        with contextlib.suppress(OSError):
            await target.wait_closed()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close so that the other side sees a reset, not an orderly end."""
    raw = writer.get_extra_info("socket")
    if raw is not None and not writer.is_closing():
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()
