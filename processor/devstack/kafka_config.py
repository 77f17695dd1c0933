"""The broker's server.properties: one node that is broker and controller, on the loopback address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

NODE_ID = 1


@dataclass(frozen=True)
class BrokerPorts:
    """Where the broker listens, and where it says that its proxied listener is."""

    plain: int
    proxied: int
    proxy: int
    controller: int
    mutual: int | None = None  # of a secured broker only


def broker(ports: BrokerPorts, data: Path) -> dict[str, str]:
    """Broker and controller in one."""
    return {
        **_node(ports, data),
        "process.roles": "broker,controller",
        "listeners": f"PLAINTEXT://127.0.0.1:{ports.plain},PROXIED://127.0.0.1:{ports.proxied},"
        f"CONTROLLER://127.0.0.1:{ports.controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{ports.plain},PROXIED://127.0.0.1:{ports.proxy}",
        "inter.broker.listener.name": "PLAINTEXT",
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
        "group.initial.rebalance.delay.ms": "0",
        "log.cleaner.dedupe.buffer.size": "2097152",
        # Nobody can lead meanwhile. In a controlled shutdown a lone broker finds no leader for the partitions of a
        # transaction that it is committing, takes them for deleted, and notes it as committed without its markers.
        "controlled.shutdown.enable": "false",
        # There is no other broker to take over: one that a busy machine keeps waiting is slow, not gone.
        "broker.session.timeout.ms": "60000",
        "initial.broker.registration.timeout.ms": "240000",
    }


def controller_alone(ports: BrokerPorts, data: Path) -> dict[str, str]:
    """The same node without its broker, which it counts as gone at once (see kafka_broker.py)."""
    return {
        **_node(ports, data),
        "process.roles": "controller",
        "listeners": f"CONTROLLER://127.0.0.1:{ports.controller}",
        "broker.session.timeout.ms": "200",
        "broker.heartbeat.interval.ms": "100",
        "controller.quorum.append.linger.ms": "0",  # what it notes is written before it is told to stop
    }


def _node(ports: BrokerPorts, data: Path) -> dict[str, str]:
    return {
        "node.id": str(NODE_ID),
        "controller.quorum.bootstrap.servers": f"127.0.0.1:{ports.controller}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT",
        "log.dirs": str(data),
    }


def write(path: Path, properties: Mapping[str, str]) -> Path:
    """Write a properties file; gives its path."""
    path.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
    return path
