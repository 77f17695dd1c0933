"""One Apache Kafka broker (KRaft, combined mode) as a child process, for one machine.

It has two listeners for clients: one at its own port, and PROXIED, which is advertised at `proxy_port`,
where a test puts a proxy: clients follow advertised addresses, so only a listener of its own keeps them behind it.

After any end the controller is started alone for a moment first. Why: a lone broker that comes back before the
controller has counted it as gone starts as leader of everything, takes up the transactions that it was committing,
then is counted as gone, finds no leader for their partitions, takes these for deleted, and notes such a transaction
as committed without its markers (Kafka 4.4, "Couldn't find leader endpoint"): readers of committed records then
wait there for ever. Where the controller outlives the broker, as in any real cluster, the order is the right one.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from processor.devstack import kafka_config, kafka_jars
from processor.devstack.child import Child, Guardian, NotReady, run_tool
from processor.devstack.doors import Doors
from processor.devstack.kafka_config import BrokerPorts
from processor.devstack.places import try_lock
from processor.devstack.readiness import kafka_answers

_START_TIMEOUT_SECONDS = 240.0  # an end is noticed at once; only a busy machine takes so long
_NOTHING_TO_COUNT_SECONDS = 5.0  # many times the session of kafka_config.controller_alone
_SERVER = "kafka.Kafka"
_CONTROLLER_ACTIVE = "Performing controller activation"
_COUNTED_AS_GONE = f"Fencing broker {kafka_config.NODE_ID} at"
_STOP_TIMEOUT_SECONDS = 90.0  # the first stop writes the archive that makes later starts fast


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
        doors: Doors | None = None,
    ) -> None:
        self.ports = ports
        self._directory = directory
        self._cluster_id = cluster_id
        self._keeper = keeper
        self._options = options
        self._progress = progress
        self._doors = doors
        self._child: Child | None = None
        self._new_archive: Path | None = None
        self._archive_claim: IO[str] | None = None

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
        java = [str(kafka_jars.java()), f"-Xmx{self._options.heap_mib}m", *options]
        reads_archive = [f"-XX:AOTCache={archive}"] if archive.exists() else []
        self._directory.mkdir(parents=True, exist_ok=True)
        secured = self._doors.broker_properties(self.ports) if self._doors else {}
        properties = {**kafka_config.broker(self.ports, self._data), **secured, **self._options.properties}
        config = kafka_config.write(self._directory / "server.properties", properties)
        if not (self._data / "meta.properties").exists():
            await self._format([*java, *reads_archive, *classes], config)
        else:
            await self._bury([*java, *reads_archive, *classes])
        arguments = [*java, *(reads_archive or self._writes(archive)), *classes, _SERVER, str(config)]
        self._child = Child.start(arguments, log=self._directory / "kafka.log", keeper=self._keeper)
        await self._child.wait_ready("Kafka", self._answers, _START_TIMEOUT_SECONDS)

    async def stop(self) -> None:
        """Shut down in order; the data stay."""
        await self._end(signal.SIGTERM)

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
            self._keep_archive()
        claim, self._archive_claim, self._new_archive = self._archive_claim, None, None
        if claim is not None:
            claim.close()

    def _metadata_bytes(self) -> int:
        return sum(log.stat().st_size for log in (self._data / "__cluster_metadata-0").glob("*.log"))

    async def _answers(self) -> None:
        problem = await kafka_answers(self.bootstrap, self._doors.admin_options() if self._doors else None)
        if problem is not None:
            raise NotReady(problem)

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    def _jvm_options(self) -> list[str]:
        return [
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",  # a short-lived broker on few cores: quick to compile beats quick code
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            # It says there which transactions it ends without markers (docs/exactly-once.md, "What hangs").
            "-Dorg.slf4j.simpleLogger.log.kafka.coordinator.transaction.TransactionMarkerChannelManager=info",
            "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS",
        ]

    def _writes(self, archive: Path) -> list[str]:
        """Have this run write the archive when it stops in order (some ten seconds, once).

        It gets a name of its own until it is whole; another broker that is about to write it leaves us nothing to do.
        """
        self._archive_claim = try_lock(archive.with_suffix(".lock"))
        if self._archive_claim is None:
            return []
        self._new_archive = archive.with_suffix(f".{os.getpid()}")
        return [f"-XX:AOTCacheOutput={self._new_archive}"]

    def _keep_archive(self) -> None:
        if self._new_archive is not None and self._new_archive.exists():
            self._new_archive.replace(self._new_archive.with_suffix(".aot"))

    async def _format(self, java: list[str], config: Path) -> None:
        tool = [
            "kafka.tools.StorageTool",
            "format",
            "--standalone",
            f"--cluster-id={self._cluster_id}",  # in one word: an id may begin with a dash
            "-c",
            str(config),
            *(self._doors.first_users() if self._doors else []),
        ]
        await run_tool([*java, *tool])

    async def _bury(self, java: list[str]) -> None:
        """Let the controller alone count the broker that ended as gone, unless it ended before it was counted in."""
        properties = kafka_config.controller_alone(self.ports, self._data)
        if self._doors is not None:
            properties |= self._doors.controller_properties()
        config = kafka_config.write(self._directory / "controller.properties", properties)
        log = self._directory / "controller.log"
        log.unlink(missing_ok=True)
        says = "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.controller.ReplicationControlManager=info"
        child = Child.start([java[0], says, *java[1:], _SERVER, str(config)], log=log, keeper=self._keeper)

        active_since: list[float] = []
        sizes: list[int] = []

        async def counted() -> None:
            said = log.read_text(errors="replace")
            if _COUNTED_AS_GONE in said:
                # It says so before it is written; whatever is written next (it notes something twice a second) is
                # behind it.
                sizes.append(self._metadata_bytes())
                if sizes[-1] == sizes[0]:
                    raise NotReady("that the broker is gone is not written yet")
                return
            if _CONTROLLER_ACTIVE in said and not active_since:
                active_since.append(time.monotonic())
            if not active_since or time.monotonic() < active_since[0] + _NOTHING_TO_COUNT_SECONDS:
                raise NotReady("the killed broker is not counted as gone yet")

        try:
            await child.wait_ready("Kafka's controller", counted, _START_TIMEOUT_SECONDS)
        finally:
            await child.end(signal.SIGTERM, _STOP_TIMEOUT_SECONDS)
