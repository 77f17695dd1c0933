"""The one place where asyncpg's errors become ours: by what is to be done about them, not by who raised them."""

from __future__ import annotations

import ssl

import asyncpg
from asyncpg.exceptions import TargetServerAttributeNotMatched

from processor.errors import (
    CroupierError,
    Doubt,
    LaneRace,
    LedgerRefusedData,
    LedgerUnavailable,
    NotMigrated,
    PostgresUnreachable,
)

#: Everything a call into asyncpg may raise; a time-out of its own is a TimeoutError, which is an OSError.
ASYNCPG_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)

_NO_PARTITION = "no partition of relation"


def as_unreachable(error: BaseException) -> CroupierError:
    """What it means that a connection could not be opened, and which part of the DSN to look at."""
    return PostgresUnreachable(f"Postgres does not let us in ({_sentence(error)}): {_what_to_do(error)}")


def _what_to_do(error: BaseException) -> str:
    if isinstance(error, TargetServerAttributeNotMatched):
        return (
            "none of the servers that the DSN names is now what its target_session_attrs asks for: where the primary "
            "is lost, promote the standby"
        )
    if isinstance(error, asyncpg.InvalidPasswordError):
        return "check the user and the password in the DSN"
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            "its certificate is not trusted: name the authority that signed it as sslrootcert in the DSN, "
            "and the server by a name that is in the certificate"
        )
    if isinstance(error, ssl.SSLError):
        return "TLS with it failed: check sslmode, sslrootcert, sslcert and sslkey in the DSN"
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
        return "its pg_hba.conf has no line for this user, database, address and kind of connection (sslmode)"
    if "rejected SSL upgrade" in str(error):
        return "it has no TLS, and sslmode in the DSN asks for it: turn it on (ssl = on) there"
    return "check that it runs and that CROUPIER_POSTGRES_DSN is right"


def translate(error: BaseException) -> CroupierError:
    """What a failed statement means for a batch.

    SQLSTATE class 22 is the event's own fault (`LedgerRefusedData`), and with it a value that the driver itself cannot
    encode, for which it raises the server's 22000;
    a taken id is another lane's (`LaneRace`); constraints and missing tables are our own doubt; all else is the
    world's (`LedgerUnavailable`), and the batch is tried again.
    """
    if isinstance(error, asyncpg.PostgresError):
        return _from_server(error)
    return LedgerUnavailable(f"Postgres did not answer ({_sentence(error)}); the batch is tried again")


def _from_server(error: asyncpg.PostgresError) -> CroupierError:
    state = error.sqlstate or ""
    if state.startswith("22"):
        return LedgerRefusedData(f"Postgres refuses the data ({state}): {_sentence(error)}")
    if state == "23505" and _table(error).startswith("outcomes"):
        return LaneRace(
            f"another lane stored the same transaction id first: {error.detail or _sentence(error)}"
        )
    if state == "23514" and _NO_PARTITION in str(error):
        return LedgerUnavailable(
            f"{_sentence(error)}: this month's table of entries is missing, run `croupier migrate`"
        )
    if state.startswith("23"):
        return Doubt(
            f"the ledger refuses what the law decided ({state} {error.constraint_name}): {_sentence(error)}"
        )
    if state.startswith("42") or state == "3F000":
        return NotMigrated(
            f"the ledger is not as this program knows it ({state}: {_sentence(error)}): run `croupier migrate`"
        )
    return LedgerUnavailable(
        f"Postgres could not do it now ({state}): {_sentence(error)}; the batch is tried again"
    )


def _table(error: asyncpg.PostgresError) -> str:
    return getattr(error, "table_name", None) or ""


def _sentence(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
