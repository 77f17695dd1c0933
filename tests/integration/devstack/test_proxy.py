"""The proxy that makes trouble makes exactly the trouble that it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from processor.devstack.proxy import Direction, TcpProxy

_MESSAGE = bytes(range(256)) * 64


@pytest.fixture
async def echo_port() -> AsyncIterator[int]:
    """A server that says whatever it hears."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(65_536):
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            return
        finally:
            writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


@pytest.fixture
async def proxy(echo_port: int) -> AsyncIterator[TcpProxy]:
    async with TcpProxy(echo_port, seed=7) as running:
        yield running


async def test_without_trouble_bytes_arrive_as_they_were_sent(proxy: TcpProxy) -> None:
    async with _client(proxy) as (reader, writer):
        assert await _said_back(reader, writer) == _MESSAGE
        assert proxy.connections == 1


async def test_a_delay_holds_bytes_back_and_keeps_their_order(proxy: TcpProxy) -> None:
    proxy.delay(0.2, 0.05, Direction.TO_CLIENT)
    async with _client(proxy) as (reader, writer):
        started = asyncio.get_running_loop().time()
        assert await _said_back(reader, writer) == _MESSAGE
        assert asyncio.get_running_loop().time() - started >= 0.2


async def test_a_drop_keeps_the_connection_and_says_nothing(proxy: TcpProxy) -> None:
    async with _client(proxy) as (reader, writer):
        proxy.drop(Direction.TO_CLIENT)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(_said_back(reader, writer), 0.5)
        assert not reader.at_eof()

        proxy.heal()
        writer.write(b"again")
        assert await asyncio.wait_for(reader.readexactly(5), 10) == b"again"


async def test_a_cut_ends_every_connection_at_once(proxy: TcpProxy) -> None:
    async with _client(proxy) as (reader, writer):
        await _said_back(reader, writer)
        await proxy.cut()

        with pytest.raises(ConnectionError):
            await _read_to_the_end(reader)
        assert proxy.connections == 0


async def test_a_cut_within_passes_a_part_of_the_answer_only(proxy: TcpProxy) -> None:
    async with _client(proxy) as (reader, writer):
        proxy.cut_within_next()
        writer.write(_MESSAGE)
        heard = await _read_to_the_end(reader)

    assert len(heard) < len(_MESSAGE)
    assert _MESSAGE.startswith(heard)


async def test_where_it_cuts_comes_from_the_seed(echo_port: int) -> None:
    async def heard_bytes(seed: int) -> int:
        async with TcpProxy(echo_port, seed=seed) as proxy, _client(proxy) as (reader, writer):
            proxy.cut_within_next()
            writer.write(b"x" * 1000)
            return len(await _read_to_the_end(reader))

    assert await heard_bytes(1) == await heard_bytes(1)
    assert len({await heard_bytes(seed) for seed in range(5)}) > 1


async def test_who_is_refused_hears_nothing(proxy: TcpProxy) -> None:
    proxy.refuse()

    async with _client(proxy) as (reader, _):
        with pytest.raises(ConnectionError):
            await _read_to_the_end(reader)


async def test_a_server_that_is_away_closes_the_clients_connection() -> None:
    async with TcpProxy(1) as proxy, _client(proxy) as (reader, _):
        with pytest.raises(ConnectionError):
            await _read_to_the_end(reader)


@asynccontextmanager
async def _client(proxy: TcpProxy) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection through the proxy, closed at the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    yield reader, writer
    writer.close()


async def _said_back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.write(_MESSAGE)
    return await reader.readexactly(len(_MESSAGE))


async def _read_to_the_end(reader: asyncio.StreamReader) -> bytes:
    return await asyncio.wait_for(reader.read(-1), 10)
