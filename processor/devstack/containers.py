"""The stack in containers, for machines with a Docker engine: `apache/kafka` and `postgres:18` by testcontainers.

Untried where no engine answers; there `start` says so and why. The containers are ours: `stop` removes them, and
testcontainers' own watcher does so when this process dies.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Any, Self

import tenacity

from processor.devstack import databases, stack
from processor.devstack.free_ports import free_ports
from processor.devstack.kafka_jars import KAFKA_VERSION
from processor.devstack.readiness import kafka_answers, postgres_answers
from processor.errors import CroupierError

KAFKA_IMAGE = f"apache/kafka:{KAFKA_VERSION}"
POSTGRES_IMAGE = "postgres:18"
_START_TIMEOUT_SECONDS = 120.0


class NoContainers(CroupierError):
    """There is no way to run containers here."""

    exit_code = 3


class ContainersStack:
    """Kafka and Postgres in two containers, at free ports of this machine."""

    def __init__(self) -> None:
        self._kafka_port, self._postgres_port = free_ports(2)
        self._superuser_password, self._migrator_password, self._worker_password = (
            secrets.token_urlsafe(24) for _ in range(3)
        )
        self._running: list[Any] = []

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start both containers, make the roles and the database. Raises NoContainers with the reason."""
        require_engine()
        try:
            for container in (self._kafka(), self._postgres()):
                self._running.append(container)
                await asyncio.to_thread(container.start)
            await self._wait_until_both_answer()
            superuser = databases.dsn("postgres", self._superuser_password, self._postgres_port, "postgres")
            await databases.ensure_roles(superuser, self._migrator_password, self._worker_password)
            await databases.ensure_database(
                self.environment()[stack.POSTGRES_MIGRATOR_DSN], databases.DATABASE
            )
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Remove the containers with their data."""
        running, self._running = self._running, []
        for container in running:
            await asyncio.to_thread(container.stop)

    def environment(self) -> dict[str, str]:
        """The variables that point the program at this stack."""
        port = self._postgres_port
        return {
            stack.KAFKA_BOOTSTRAP: f"127.0.0.1:{self._kafka_port}",
            stack.POSTGRES_DSN: databases.dsn(databases.WORKER, self._worker_password, port),
            stack.POSTGRES_MIGRATOR_DSN: databases.dsn(databases.MIGRATOR, self._migrator_password, port),
        }

    async def _wait_until_both_answer(self) -> None:
        superuser = databases.dsn("postgres", self._superuser_password, self._postgres_port, "postgres")

        async def problem() -> str | None:
            bootstrap = self.environment()[stack.KAFKA_BOOTSTRAP]
            return await kafka_answers(bootstrap) or await postgres_answers(superuser)

        try:
            await tenacity.AsyncRetrying(
                wait=tenacity.wait_fixed(0.5),
                stop=tenacity.stop_after_delay(_START_TIMEOUT_SECONDS),
                retry=tenacity.retry_if_result(lambda found: found is not None),
            )(problem)
        except tenacity.RetryError as reason:
            raise NoContainers(f"The containers do not answer: {reason.last_attempt.result()}") from reason

    def _kafka(self) -> Any:
        from testcontainers.core.container import DockerContainer

        port = self._kafka_port  # the same inside and outside, so that the advertised address is right
        return (
            DockerContainer(KAFKA_IMAGE)
            .with_bind_ports(port, port)
            .with_envs(
                KAFKA_NODE_ID="1",
                KAFKA_PROCESS_ROLES="broker,controller",
                KAFKA_LISTENERS=f"PLAINTEXT://0.0.0.0:{port},CONTROLLER://localhost:9093",
                KAFKA_ADVERTISED_LISTENERS=f"PLAINTEXT://127.0.0.1:{port}",
                KAFKA_CONTROLLER_LISTENER_NAMES="CONTROLLER",
                KAFKA_LISTENER_SECURITY_PROTOCOL_MAP="CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
                KAFKA_CONTROLLER_QUORUM_VOTERS="1@localhost:9093",
                KAFKA_AUTO_CREATE_TOPICS_ENABLE="false",
                KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR="1",
                KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR="1",
                KAFKA_TRANSACTION_STATE_LOG_MIN_ISR="1",
                KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS="0",
            )
        )

    def _postgres(self) -> Any:
        from testcontainers.core.container import DockerContainer

        return (
            DockerContainer(POSTGRES_IMAGE)
            .with_bind_ports(5432, self._postgres_port)
            .with_envs(POSTGRES_PASSWORD=self._superuser_password)
            .with_command("postgres -c max_connections=200")
        )


def require_engine() -> None:
    """Raise NoContainers, with the reason, unless the packages are there and a Docker engine answers."""
    try:
        import docker
    except ImportError as reason:
        raise NoContainers("Containers need the extra: pip install 'croupier[containers]'.") from reason
    try:
        docker.from_env(timeout=5).ping()
    except docker.errors.DockerException as reason:
        raise NoContainers(
            f"No Docker engine answers ({reason}): start one, or use the embedded stack, which needs none."
        ) from reason
