"""One Postgres 18 server as a child process: TCP on the loopback address, SCRAM passwords, fsync on."""

from __future__ import annotations

import asyncio
import shutil
import signal
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from processor.devstack.account import Account, unprivileged_account
from processor.devstack.child import Child, Guardian, NotReady, run_tool
from processor.devstack.databases import DATABASE, MIGRATOR, WORKER, dsn, ensure_database, ensure_roles
from processor.devstack.doors import POSTGRES, Doors
from processor.devstack.postgres_programs import programs, require_reach
from processor.devstack.postgres_tls import tls_programs
from processor.devstack.readiness import postgres_answers

_START_TIMEOUT_SECONDS = 240.0  # an end is noticed at once; only a busy machine takes so long
_STOP_TIMEOUT_SECONDS = 30.0
_SUPERUSER = "postgres"

_SETTINGS = {
    "listen_addresses": "'127.0.0.1'",
    "unix_socket_directories": "''",
    "password_encryption": "'scram-sha-256'",  # nosec B105
    "max_connections": "200",
    "shared_buffers": "'256MB'",
    "max_wal_size": "'2GB'",
    "checkpoint_timeout": "'15min'",
    "jit": "off",  # short statements only
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    # An installation for trying out still never loses a commit.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
}


@dataclass(frozen=True)
class Passwords:
    """Of the three logins; made anew for every installation."""

    superuser: str
    migrator: str
    worker: str


class EmbeddedPostgres:
    """A server that we own: it can be started, stopped, killed and started again on the same data."""

    def __init__(
        self,
        directory: Path,
        port: int,
        passwords: Passwords,
        keeper: Guardian,
        settings: Mapping[str, str],
        doors: Doors | None = None,
    ) -> None:
        self.port = port
        self._directory = directory
        self._passwords = passwords
        self._keeper = keeper
        self._settings = settings
        self._doors = doors
        self._child: Child | None = None

    @property
    def superuser_dsn(self) -> str:
        """For tests that make trouble; nothing of the product needs it."""
        return dsn(_SUPERUSER, self._passwords.superuser, self.port, "postgres", authority=self._authority)

    @property
    def migrator_dsn(self) -> str:
        """The owner's connection string."""
        return dsn(MIGRATOR, self._passwords.migrator, self.port, authority=self._authority)

    @property
    def worker_dsn(self) -> str:
        """The worker's connection string."""
        return dsn(WORKER, self._passwords.worker, self.port, authority=self._authority)

    @property
    def running(self) -> bool:
        """Whether the server's process runs."""
        return self._child is not None and self._child.running

    async def start(self) -> None:
        """Start the server on its data, making these, the roles and the database first; returns when it answers.

        Raises ServerFailed with the end of its log.
        """
        if self.running:
            return
        account = unprivileged_account()
        bin_folder = await asyncio.to_thread(tls_programs) if self._doors else programs(account)
        self._make_directory(account)
        if not (self._data / "PG_VERSION").exists():
            await self._initialise(bin_folder, account)
        self._write_config()
        if self._doors is not None:
            self._lock_doors(self._doors, account)
        self._child = Child.start(
            [str(bin_folder / "postgres"), "-D", str(self._data)],
            log=self._directory / "postgres.log",
            keeper=self._keeper,
            account=account,
            last_signal=signal.SIGQUIT,
        )
        await self._child.wait_ready("Postgres", self._answers, _START_TIMEOUT_SECONDS)
        await ensure_roles(self.superuser_dsn, self._passwords.migrator, self._passwords.worker)
        await ensure_database(self.migrator_dsn, DATABASE)

    async def stop(self) -> None:
        """Fast shutdown: connections are ended, the data are in order and stay."""
        await self._end(signal.SIGINT)

    async def kill(self) -> None:
        """Immediate shutdown, like a power cut for Postgres: nothing is written, the next start recovers."""
        await self._end(signal.SIGQUIT)

    def freeze(self) -> None:
        """SIGSTOP the postmaster: nobody gets a new connection."""
        if self._child is not None:
            self._child.send(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT after `freeze`."""
        if self._child is not None:
            self._child.send(signal.SIGCONT)

    async def _end(self, number: signal.Signals) -> None:
        child, self._child = self._child, None
        if child is not None:
            await child.end(number, _STOP_TIMEOUT_SECONDS)

    async def _answers(self) -> None:
        problem = await postgres_answers(self.superuser_dsn)
        if problem is not None:
            raise NotReady(problem)

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    def _make_directory(self, account: Account | None) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        if account is not None:
            require_reach(account, self._directory)
            account.own(self._directory)

    async def _initialise(self, bin_folder: Path, account: Account | None) -> None:
        with tempfile.TemporaryDirectory(dir=self._directory) as folder:
            password_file = Path(folder) / "password"
            password_file.write_text(self._passwords.superuser)
            if account is not None:
                account.own(password_file)
                account.own(Path(folder))
            await run_tool(
                [
                    str(bin_folder / "initdb"),
                    *("-D", str(self._data)),
                    *("--username", _SUPERUSER),
                    *("--pwfile", str(password_file)),
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--locale=C",
                    "--locale-provider=builtin",
                    "--builtin-locale=C.UTF-8",
                    "--no-sync",  # an empty cluster is worth nothing yet; the server syncs from its start
                ],
                account=account,
            )

    @property
    def _authority(self) -> Path | None:
        return self._doors.certificates.authority if self._doors else None

    def _lock_doors(self, doors: Doors, account: Account | None) -> None:
        """The server's certificate and key in a place of its own, and no way in but over TLS with a password."""
        shown = doors.certificates
        for source, name in (
            (shown.certificate(POSTGRES), "server.crt"),
            (shown.key(POSTGRES), "server.key"),
        ):
            target = self._directory / name
            target.unlink(missing_ok=True)
            shutil.copyfile(source, target)
            target.chmod(0o600)
            if account is not None:
                account.own(target)
        (self._data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")

    def _write_config(self) -> None:
        tls = self._doors.postgres_settings(self._directory) if self._doors else {}
        settings = {**_SETTINGS, "port": str(self.port), **tls, **self._settings}
        text = "".join(f"{name} = {value}\n" for name, value in settings.items())
        (self._data / "postgresql.auto.conf").write_text(text)
