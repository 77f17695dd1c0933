"""access.toml: who may come in, from where, to do what and how much; read, checked, and spelled out as rights."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from processor.errors import WrongUsage
from processor.kafka.access.rights import (
    EVERYWHERE,
    Access,
    Grant,
    Mechanism,
    Operation,
    Resource,
    Right,
    Role,
    rights_of,
)
from processor.settings import Settings

Principal = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
Host = Annotated[str, StringConstraints(pattern=r"^(\*|[0-9A-Fa-f.:]+)$")]
#: A topic's or group's name; with a star at its end, all whose names begin so.
Pattern = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,249}\*?$")]

_SHORTEST_PASSWORD = 16


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Quota(_Strict):
    """How much a principal may use of each broker."""

    producer_bytes_per_second: float | None = Field(None, gt=0)
    consumer_bytes_per_second: float | None = Field(None, gt=0)
    request_percent: float | None = Field(None, gt=0)

    def values(self) -> dict[str, float]:
        """By the cluster's own keys."""
        named = {
            "producer_byte_rate": self.producer_bytes_per_second,
            "consumer_byte_rate": self.consumer_bytes_per_second,
            "request_percentage": self.request_percent,
        }
        return {key: value for key, value in named.items() if value is not None}


class PrincipalEntry(_Strict):
    """One principal: its role or its own lists of rights, where it may come from, its password, its quota."""

    hosts: list[Host] = Field(min_length=1)
    role: Role | None = None
    read: list[Pattern] = []
    write: list[Pattern] = []
    groups: list[Pattern] = []
    scram: list[Mechanism] = []
    password_file: Path | None = None
    password_variable: str | None = None
    quota: Quota = Quota()

    @model_validator(mode="after")
    def _a_user_has_one_password(self) -> Self:
        sources = (self.password_file is not None) + (self.password_variable is not None)
        if bool(self.scram) != bool(sources) or sources > 1:
            raise ValueError("scram goes with exactly one of password_file and password_variable")
        if EVERYWHERE in self.hosts and len(self.hosts) > 1:
            raise ValueError('hosts names addresses, or "*" alone')
        return self

    def rights(self, settings: Settings) -> frozenset[Right]:
        """All that it may do."""
        role = rights_of(self.role, settings) if self.role is not None else frozenset()
        lists: tuple[tuple[Resource, Operation, list[str]], ...] = (
            ("topic", "read", self.read),
            ("topic", "write", self.write),
            ("group", "read", self.groups),
        )
        return role | {
            Right(resource, name.removesuffix("*"), name.endswith("*"), operation)
            for resource, operation, names in lists
            for name in names
        }


class AccessFile(_Strict):
    """The file: what it does not say of principals with its ``prefix`` is removed; all others are left alone."""

    prefix: Principal
    principals: dict[Principal, PrincipalEntry]

    @model_validator(mode="after")
    def _all_have_the_prefix(self) -> Self:
        for name in self.principals:
            if not name.startswith(self.prefix):
                raise ValueError(
                    f"principals.{name}: its name does not begin with the file's prefix {self.prefix}"
                )
        return self

    def access(self, settings: Settings) -> Access:
        """What is to be granted."""
        grants = frozenset(
            Grant(name, host, right)
            for name, entry in self.principals.items()
            for right in entry.rights(settings)
            for host in entry.hosts
        )
        users = {name: frozenset(entry.scram) for name, entry in self.principals.items() if entry.scram}
        quotas = {name: entry.quota.values() for name, entry in self.principals.items()}
        return Access(grants, users, {name: values for name, values in quotas.items() if values})

    def password(self, name: str, directory: Path, environment: Mapping[str, str] = os.environ) -> str:
        """A user's password, from where its entry says. Raises `WrongUsage` that names the place, never its content."""
        entry = self.principals[name]
        if entry.password_file is not None:
            place = directory / entry.password_file
            try:
                found = place.read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise WrongUsage(
                    f"principals.{name}.password_file: {place} cannot be read ({error})."
                ) from error
        else:
            found = environment.get(entry.password_variable or "", "")
        if len(found) < _SHORTEST_PASSWORD:
            where = entry.password_file or entry.password_variable
            raise WrongUsage(
                f"principals.{name}: the password in {where} is missing or shorter than "
                f"{_SHORTEST_PASSWORD} characters."
            )
        return found


def read_access_file(content: Mapping[str, Any]) -> AccessFile:
    """A file's content, checked. Raises `WrongUsage` that names each wrong key."""
    try:
        return AccessFile.model_validate(content)
    except ValidationError as error:
        faults = [
            f"{'.'.join(str(part) for part in fault['loc']) or 'the file'}: {fault['msg']}"
            for fault in error.errors(include_url=False, include_input=False)
        ]
        raise WrongUsage("; ".join(faults)) from None
