"""What makes a stack's directory that stack: its ports, its passwords, its cluster id; and who has it now."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import os
import secrets
import uuid
from pathlib import Path
from typing import IO, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from processor.devstack import databases, stack
from processor.devstack.doors import Doors
from processor.devstack.free_ports import free_ports, is_free
from processor.devstack.kafka_config import BrokerPorts
from processor.devstack.kafka_jars import EmbeddedPartsMissing
from processor.devstack.places import default_stack_directory
from processor.devstack.postgres_server import Passwords
from processor.errors import CroupierError

_PORT_FIELDS = (
    "kafka_port",
    "kafka_proxied_port",
    "kafka_proxy_port",
    "kafka_controller_port",
    "postgres_port",
)


_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class DirectoryTaken(CroupierError):
    """Another process runs a stack in this directory."""


class DirectoryUnreadable(CroupierError):
    """The directory holds something, but no stack that this program can read."""

    exit_code = 4


class DirectoryDiffers(CroupierError):
    """The directory holds a secured stack and a plain one is wanted, or the other way round."""

    exit_code = 4

    def __init__(self, path: Path, secure: bool) -> None:
        kind = "a secured stack: add --secure" if secure else "a stack without security: leave --secure out"
        super().__init__(f"{path} holds {kind}, choose another directory, or delete this one.")


class Installation(BaseModel):
    """Kept as `installation.json` (for its owner's eyes only) as long as the directory lives."""

    model_config = ConfigDict(frozen=True)

    cluster_id: str
    kafka_port: int
    kafka_proxied_port: int
    kafka_proxy_port: int
    kafka_controller_port: int
    postgres_port: int
    superuser_password: str
    migrator_password: str
    worker_password: str
    # Of a secured one only.
    secure: bool = False
    kafka_mutual_port: int = 0
    kafka_admin_password: str = ""
    kafka_user_password: str = ""

    @classmethod
    def new(cls, *, secure: bool = False) -> Self:
        """A new one: free ports, random passwords."""
        ports = free_ports(len(_PORT_FIELDS))
        if secure:
            (mutual,) = free_ports(1)
            return cls.new().model_copy(
                update={
                    "secure": True,
                    "kafka_mutual_port": mutual,
                    "kafka_admin_password": secrets.token_urlsafe(24),
                    "kafka_user_password": secrets.token_urlsafe(24),
                }
            )
        return cls(
            cluster_id=base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("="),
            superuser_password=secrets.token_urlsafe(24),
            migrator_password=secrets.token_urlsafe(24),
            worker_password=secrets.token_urlsafe(24),
            **dict(zip(_PORT_FIELDS, ports, strict=True)),
        )

    def with_free_ports(self) -> Self:
        """The same, with another port in place of each that somebody else has taken since."""
        names = (*_PORT_FIELDS, "kafka_mutual_port") if self.secure else _PORT_FIELDS
        taken = [name for name in names if not is_free(getattr(self, name))]
        return self.model_copy(update=dict(zip(taken, free_ports(len(taken)), strict=True)))

    @property
    def broker_ports(self) -> BrokerPorts:
        """The broker's part of the ports."""
        return BrokerPorts(
            plain=self.kafka_port,
            proxied=self.kafka_proxied_port,
            proxy=self.kafka_proxy_port,
            controller=self.kafka_controller_port,
            mutual=self.kafka_mutual_port or None,
        )

    def doors(self, directory: Path) -> Doors | None:
        """The shut doors of a secured one, whose certificates lie in the stack's directory; None of a plain one."""
        if not self.secure:
            return None
        try:
            from processor.devstack.certificates import Certificates
        except ImportError as reason:
            raise EmbeddedPartsMissing(
                "Install the embedded stack's parts: pip install 'croupier[embedded]'."
            ) from reason
        return Doors(Certificates(directory / "tls"), self.kafka_admin_password, self.kafka_user_password)

    def environment(self, directory: Path) -> dict[str, str]:
        """The variables that point the program at these servers, as they run in a directory."""
        doors = self.doors(directory)
        authority = doors.certificates.authority if doors else None
        return {
            **(doors.environment() if doors else {}),
            stack.KAFKA_BOOTSTRAP: f"127.0.0.1:{self.kafka_port}",
            stack.POSTGRES_DSN: databases.dsn(
                databases.WORKER, self.worker_password, self.postgres_port, authority=authority
            ),
            stack.POSTGRES_MIGRATOR_DSN: databases.dsn(
                databases.MIGRATOR, self.migrator_password, self.postgres_port, authority=authority
            ),
        }

    def kafka_ports(self) -> tuple[int, ...]:
        """The ports that clients use."""
        return self.kafka_port, self.kafka_proxied_port, self.kafka_proxy_port

    @property
    def passwords(self) -> Passwords:
        """The passwords of the database's logins."""
        return Passwords(self.superuser_password, self.migrator_password, self.worker_password)


class StackDirectory:
    """A directory with one stack in it; at most one process at a time holds it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: IO[str] | None = None

    @property
    def kafka(self) -> Path:
        """The broker's configuration, log and data."""
        return self.path / "kafka"

    @property
    def postgres(self) -> Path:
        """The database's log and data."""
        return self.path / "postgres"

    def acquire(self) -> None:
        """Hold the directory; the hold ends with this process at the latest. Raises DirectoryTaken."""
        self.path.mkdir(parents=True, exist_ok=True)
        self.path.chmod(
            0o711
        )  # Postgres's unprivileged user passes through; only its own folder is open to it
        lock = (self.path / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as reason:
            lock.close()
            raise DirectoryTaken(f"A stack is running in {self.path} already.") from reason
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def release(self) -> None:
        """Let go of the directory."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def holder(self) -> int | None:
        """The id of the process that holds it now, None if nobody does."""
        try:
            with (self.path / "lock").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return None
        except BlockingIOError:
            return int((self.path / "lock").read_text() or 0)
        return None

    def read(self) -> Installation | None:
        """The installation in it, None if there is none yet. Raises DirectoryUnreadable."""
        file = self.path / "installation.json"
        try:
            return Installation.model_validate_json(file.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError as reason:
            raise DirectoryUnreadable(f"{file} cannot be read as a stack's: delete {self.path}.") from reason

    def write(self, installation: Installation) -> None:
        """Keep the installation, readable for its owner only, whole or not at all."""
        partial = self.path / "installation.json.new"
        with contextlib.suppress(FileNotFoundError):
            partial.unlink()
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(installation.model_dump_json(indent=2))
        partial.replace(self.path / "installation.json")


def is_embedded(bootstrap: str, dsn: str) -> bool:
    """Whether these name servers of the stack in this machine's stack directory."""
    try:
        installation = StackDirectory(default_stack_directory()).read()
    except (DirectoryUnreadable, OSError):
        return False
    if installation is None:
        return False
    named = {f"{host}:{port}" for host in _LOOPBACK for port in installation.kafka_ports()}
    ours = {f"{host}:{installation.postgres_port}" for host in _LOOPBACK}
    servers = dsn.partition("://")[2].partition("/")[0].rpartition("@")[2]
    return bool(named & _addresses(bootstrap)) or bool(ours & _addresses(servers))


def _addresses(several: str) -> set[str]:
    """Each host:port of a list with commas; an IPv6 address without its brackets."""
    return {one.strip().replace("[", "").replace("]", "") for one in several.split(",")}
