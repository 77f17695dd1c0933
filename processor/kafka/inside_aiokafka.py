"""Where we reach into aiokafka 0.14 because it has no door there; nowhere else (the version is pinned to 0.14.x).

What needs it: a producer whose requests are watched (taint) and that can be let go of for certain, a consumer that
leaves its group with a static id, one that can be stopped while somebody waits in it, and a connection that ends.
`tests/integration/kafka/test_inside_aiokafka.py` fails when a name used here is gone.
"""

# ruff: noqa: SLF001

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError


def watch_requests(client: AIOKafkaClient, on_failure: Callable[[BaseException], None]) -> None:
    """Call ``on_failure`` for every request of this client that raises, also where aiokafka then retries silently."""
    send: Callable[..., Awaitable[Any]] = client.send

    async def watched(node_id: int, request: Any, **options: Any) -> Any:
        try:
            return await send(node_id, request, **options)
        except BaseException as error:
            on_failure(error)
            raise

    client.send = watched


def add_partition(producer: AIOKafkaProducer, place: TopicPartition) -> None:
    """Make a partition part of the open transaction although no record is sent to it."""
    producer._txn_manager.maybe_add_partition_to_txn(place)


async def let_go(producer: AIOKafkaProducer, *, timeout_seconds: float) -> None:
    """End a producer whatever state it is in: its tasks, its sockets. Nothing more is sent; never hangs.

    `AIOKafkaProducer.stop` flushes first, which waits for ever for a broker that is gone, and a timed-out stop leaves
    the sender and its sockets behind. So: no new request and no new connection, every waiter told, connections
    closed, then the sender cancelled.
    """
    client, sender = producer.client, producer._sender
    producer._closed = True
    _refuse_requests(client)
    _fail_batches(producer._message_accumulator)
    _give_waiter(producer._txn_manager)
    await _within(client.close(), timeout_seconds)
    _release_metadata_waiters(client)
    if sender.sender_task is not None:
        await _end_task(sender.sender_task, timeout_seconds)
    # A connection that was being made while we closed the others is known only now.
    await _within(client.close(), timeout_seconds)
    _see(getattr(producer._txn_manager, "_transaction_waiter", None))


def _give_waiter(transactions: Any) -> None:
    """A sender that dies tells whoever waits for the transaction, and stumbles where there has been none yet."""
    if transactions is not None and transactions._transaction_waiter is None:
        transactions._transaction_waiter = asyncio.get_running_loop().create_future()


def _fail_batches(accumulator: Any) -> None:
    """Tell whoever waits for a record, and take no more of them."""
    batches = [batch for queue in accumulator._batches.values() for batch in queue]
    batches += accumulator._pending_batches
    accumulator._closed = True
    accumulator.fail_all(_gone())
    for batch in batches:
        _see(batch.future)
        _see(batch._drain_waiter)


def _see(future: asyncio.Future[Any] | None) -> None:
    """Mark a failure as seen, where nobody may be left to look at it."""
    if future is not None and future.done() and not future.cancelled():
        future.exception()


def _gone() -> KafkaConnectionError:
    return KafkaConnectionError("This producer was abandoned.")


def _refuse_requests(client: AIOKafkaClient) -> None:
    async def refuse(*_args: Any, **_options: Any) -> Any:
        raise _gone()

    async def not_ready(*_args: Any, **_options: Any) -> bool:
        return False

    async def nothing_to_wait_for() -> None:
        return None

    client.send = refuse
    client.ready = not_ready
    client.coordinator_lookup = refuse
    client._wait_on_metadata = refuse
    client._maybe_wait_metadata = nothing_to_wait_for
    client.force_metadata_update = lambda: asyncio.ensure_future(nothing_to_wait_for())


def _release_metadata_waiters(client: AIOKafkaClient) -> None:
    waiter = client._md_update_fut
    if waiter is not None and not waiter.done():
        waiter.set_result(False)


async def _end_task(task: asyncio.Task[Any], timeout_seconds: float) -> None:
    """Cancel until it is over: a cancelled sender still waits for its requests, one after another."""
    for _ in range(3):
        if task.done():
            break
        task.cancel()
        await asyncio.wait({task}, timeout=timeout_seconds)
    _see(task)


async def close_client(client: AIOKafkaClient, *, timeout_seconds: float = 1.0) -> None:
    """Close a plain client's connections. Over TLS uvloop waits up to 30 s for the broker's own good-bye: we do not."""
    await _within(client.close(), timeout_seconds)


async def _within(work: Awaitable[Any], timeout_seconds: float) -> None:
    """Wait for a close, but no longer than this; a close that fails has closed."""
    task = asyncio.ensure_future(work)
    await asyncio.wait({task}, timeout=timeout_seconds)
    if not task.done():
        task.cancel()
    _see(task)


def mend_connections() -> None:
    """A request on a connection that is over fails as such: uvloop raises RuntimeError there, which aiokafka does not
    expect. A consumer whose fetch met it read nothing any more, while its group took it for well."""
    for name in ("send", "_send_sasl_token"):
        sending = getattr(AIOKafkaConnection, name)
        if not hasattr(sending, "__wrapped__"):
            setattr(AIOKafkaConnection, name, _mended(sending))


def _mended(sending: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(sending)
    def send(connection: AIOKafkaConnection, *arguments: Any, **options: Any) -> Any:
        try:
            return sending(connection, *arguments, **options)
        except RuntimeError as error:
            connection.close(reason=CloseReason.CONNECTION_BROKEN, exc=error)
            where = f"{connection.host}:{connection.port}"
            raise KafkaConnectionError(f"Connection at {where} broken: {error}") from error

    return send


def consumer_problem(consumer: AIOKafkaConsumer) -> BaseException | None:
    """Why this consumer is beyond repair, or None: aiokafka restarts none of these tasks of it."""
    tasks = [consumer._client._sync_task]
    if consumer._fetcher is not None:
        tasks.append(consumer._fetcher._fetch_task)
    if consumer._coordinator is not None:
        tasks += [consumer._coordinator._coordination_task, consumer._coordinator._heartbeat_task]
    for task in tasks:
        if task is not None and task.done() and not task.cancelled() and task.exception() is not None:
            problem: BaseException = task.exception()
            return problem
    return None


def knows_coordinator(consumer: AIOKafkaConsumer) -> bool:
    """Whether the broker that coordinates the group is known; it is forgotten when it does not answer."""
    return consumer._coordinator is not None and consumer._coordinator.coordinator_id is not None


def position_of(consumer: AIOKafkaConsumer, place: TopicPartition) -> int | None:
    """The next offset that will be fetched of an assigned partition; aiokafka's own `position` waits for one."""
    state = consumer._subscription.subscription.assignment.state_value(place)
    return int(state.position) if state is not None and state.has_valid_position else None


def hasten_fetches(consumer: AIOKafkaConsumer, *, prefetch_backoff_seconds: float) -> None:
    """How long records that a busy lane has not taken yet may hold up the fetches of the others (aiokafka: 0.1 s)."""
    consumer._fetcher._prefetch_backoff = prefetch_backoff_seconds


def member_id(consumer: AIOKafkaConsumer) -> str | None:
    """The id under which the group knows this consumer now."""
    coordinator = consumer._coordinator
    return (coordinator.member_id or None) if coordinator is not None else None


async def end_consumer(consumer: AIOKafkaConsumer, *, timeout_seconds: float) -> None:
    """Stop a consumer whatever state it is in, its sockets with it; whoever waits in it gets a KafkaError.

    A stop alone leaves them waiting for an assignment for ever, and leaves sockets behind when it fails half-way.
    """
    if consumer._fetcher is not None:
        subscription = consumer._subscription
        waiting = [*subscription._assignment_waiters, *subscription._fetch_waiters]
        subscription.abort_waiters(KafkaConnectionError("This consumer is being stopped."))
        for waiter in waiting:
            _see(waiter)
    await _within(consumer.stop(), timeout_seconds)
    await _within(consumer._client.close(), timeout_seconds)
