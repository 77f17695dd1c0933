"""One Apache Kafka broker (KRaft, combined mode) as a child process, for one machine.

It has two listeners for clients: PLAINTEXT at its own port, and PROXIED, which is advertised at `proxy_port`,
where a test puts a proxy: clients follow advertised addresses, so only a listener of its own keeps them behind it.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from processor.devstack import kafka_jars
from processor.devstack.child import Child, Guardian, NotReady, run_tool
from processor.devstack.readiness import kafka_answers

_START_TIMEOUT_SECONDS = 90.0
_STOP_TIMEOUT_SECONDS = 90.0  # the first stop writes the archive that makes later starts fast


@dataclass(frozen=True)
class BrokerPorts:
    """Where the broker listens, and where it says that its proxied listener is."""

    plain: int
    proxied: int
    proxy: int
    controller: int


@dataclass(frozen=True)
class BrokerOptions:
    """What a caller may choose about the broker."""

    heap_mib: int = 512
    properties: Mapping[str, str] = field(default_factory=dict)  # added to, or instead of, our own


class EmbeddedKafka:
    """A broker that we own: it can be started, stopped, killed and started again on the same data."""

    def __init__(
        self,
        directory: Path,
        ports: BrokerPorts,
        cluster_id: str,
        keeper: Guardian,
        options: BrokerOptions,
        progress: Callable[[str], None],
    ) -> None:
        self.ports = ports
        self._directory = directory
        self._cluster_id = cluster_id
        self._keeper = keeper
        self._options = options
        self._progress = progress
        self._child: Child | None = None
        self._new_archive: Path | None = None

    @property
    def bootstrap(self) -> str:
        """host:port for clients."""
        return f"127.0.0.1:{self.ports.plain}"

    @property
    def proxied_bootstrap(self) -> str:
        """host:port for clients that must go through the proxy; nobody listens there until a proxy does."""
        return f"127.0.0.1:{self.ports.proxy}"

    @property
    def running(self) -> bool:
        """Whether the broker's process runs."""
        return self._child is not None and self._child.running

    async def start(self) -> None:
        """Start the broker on its data, making these first if there are none; returns when it answers.

        Raises ServerFailed with the end of its log.
        """
        if self.running:
            return
        jars = await asyncio.to_thread(kafka_jars.class_path, self._progress)
        options = self._jvm_options()
        archive = await asyncio.to_thread(kafka_jars.start_archive, jars, options)
        classes = ["-cp", os.pathsep.join(map(str, jars))]
        java = [str(kafka_jars.java()), *options]
        reads_archive = [f"-XX:AOTCache={archive}"] if archive.exists() else []
        config = self._write_config()
        if not (self._data / "meta.properties").exists():
            await self._format([*java, *reads_archive, *classes], config)
        arguments = [*java, *(reads_archive or self._writes(archive)), *classes, "kafka.Kafka", str(config)]
        self._child = Child.start(arguments, log=self._directory / "kafka.log", keeper=self._keeper)
        await self._child.wait_ready("Kafka", self._answers, _START_TIMEOUT_SECONDS)

    async def stop(self) -> None:
        """Shut down in order; the data stay."""
        await self._end(signal.SIGTERM)
        if self._new_archive is not None and self._new_archive.exists():
            name, _, _ = self._new_archive.name.rpartition(".")
            self._new_archive.replace(self._new_archive.with_name(name))

    async def kill(self) -> None:
        """SIGKILL: the broker has no time for anything."""
        await self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """SIGSTOP: the broker is there but answers nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT after `freeze`."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._child is not None:
            self._child.send(number)

    async def _end(self, number: signal.Signals) -> None:
        child, self._child = self._child, None
        if child is not None:
            await child.end(number, _STOP_TIMEOUT_SECONDS)

    async def _answers(self) -> None:
        problem = await kafka_answers(self.bootstrap)
        if problem is not None:
            raise NotReady(problem)

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    def _jvm_options(self) -> list[str]:
        return [
            f"-Xmx{self._options.heap_mib}m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",  # a short-lived broker on few cores: quick to compile beats quick code
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
        ]

    def _writes(self, archive: Path) -> list[str]:
        """Have this run write the archive when it stops in order, under a name of its own until it is whole."""
        self._new_archive = archive.with_name(f"{archive.name}.{os.getpid()}")
        return [f"-XX:AOTCacheOutput={self._new_archive}"]

    async def _format(self, java: list[str], config: Path) -> None:
        tool = [
            "kafka.tools.StorageTool",
            "format",
            "--standalone",
            "-t",
            self._cluster_id,
            "-c",
            str(config),
        ]
        await run_tool([*java, *tool])

    def _write_config(self) -> Path:
        self._directory.mkdir(parents=True, exist_ok=True)
        config = self._directory / "server.properties"
        lines = [
            f"{name}={value}\n" for name, value in {**self._properties(), **self._options.properties}.items()
        ]
        config.write_text("".join(lines))
        return config

    def _properties(self) -> dict[str, str]:
        ports = self.ports
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{ports.controller}",
            "listeners": f"PLAINTEXT://127.0.0.1:{ports.plain},PROXIED://127.0.0.1:{ports.proxied},"
            f"CONTROLLER://127.0.0.1:{ports.controller}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{ports.plain},PROXIED://127.0.0.1:{ports.proxy}",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT",
            "log.dirs": str(self._data),
            "auto.create.topics.enable": "false",
            "num.network.threads": "2",
            "num.io.threads": "4",
            # One broker holds the only copy of everything.
            "default.replication.factor": "1",
            "min.insync.replicas": "1",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            # A killed broker may come back as soon as its old self counts as gone (by default after 9 seconds).
            "broker.session.timeout.ms": "3000",
            "broker.heartbeat.interval.ms": "500",
            "group.initial.rebalance.delay.ms": "0",
            "log.cleaner.dedupe.buffer.size": "2097152",
        }
