"""An installation on a secured stack, and users of the cluster that a test makes for itself."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from processor.devstack.embedded import EmbeddedStack
from processor.devstack.stack import KAFKA_BOOTSTRAP, security_of, settings_from
from processor.kafka.access.cluster import administration
from processor.kafka.access.rights import Access
from processor.settings import Settings
from tests.acceptance.commands.conftest import Installation, Typed
from tests.installations import drop, make_database, make_template, make_topics

PASSWORD = "a-password-for-tests"
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Doors:
    """A secured stack with a database and topics of this module's own, and a prefix for its users."""

    stack: EmbeddedStack
    installation: Installation
    prefix: str

    @property
    def settings(self) -> Settings:
        """As the stack's own user."""
        return settings_from(dict(self.installation.environment))

    def as_user(self, name: str, **changed: str) -> Settings:
        """As one of the test's users, with what else is changed."""
        return settings_from({**self.environment_of(name), **changed})

    def environment_of(self, name: str) -> dict[str, str]:
        """The variables of one of the test's users: no administrator among them."""
        plain = {key: value for key, value in self.installation.environment.items() if "_ADMIN_" not in key}
        return {
            **plain,
            "CROUPIER_KAFKA_SASL_USERNAME": f"{self.prefix}{name}",
            "CROUPIER_KAFKA_SASL_PASSWORD": PASSWORD,
        }

    def acting_as(self, name: str, **changed: str) -> Installation:
        """The same installation for one of the test's users."""
        return replace(self.installation, environment={**self.environment_of(name), **changed})

    def file(self, *principals: str) -> Path:
        """An access file with these principals, whose names get the prefix: NAME and lines of TOML."""
        text = f'prefix = "{self.prefix}"\n[principals]\n' + "\n".join(
            f"[principals.{self.prefix}{principal}" for principal in principals
        )
        return self.installation.file("access.toml", text)

    async def apply(self, *principals: str, words: tuple[str, ...] = ("--yes",)) -> Typed:
        """Apply such a file."""
        path = self.file(*principals)
        return await self.installation.type("access", "apply", path, *words, TEST_PASSWORD=PASSWORD)

    async def granted(self) -> Access:
        """What the cluster grants to this module's users."""
        async with administration(self.settings) as cluster:
            return (await cluster.read()).of(self.prefix)


def principal(name: str, *lines: str, hosts: str = '["127.0.0.1"]') -> str:
    """One principal with a password, as `Doors.file` takes it."""
    login = 'scram = ["SCRAM-SHA-512"]\npassword_variable = "TEST_PASSWORD"'
    return "\n".join((f"{name}]", f"hosts = {hosts}", login, *lines, ""))


@pytest.fixture(scope="module")
async def doors(secured: EmbeddedStack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Doors]:
    """Nothing runs on it yet; four partitions, two lanes."""
    template = await make_template(secured)
    database = await make_database(secured, template)
    variables = secured.environment()
    topics = await make_topics(variables[KAFKA_BOOTSTRAP], 4, security_of(variables))
    environment = {
        **variables,
        **database.environment(),
        **topics.environment(),
        "CROUPIER_LANES": "2",
        "CROUPIER_SESSION_TIMEOUT_SECONDS": "6",
    }
    made = Doors(secured, Installation(environment, tmp_path_factory.mktemp("doors")), f"t{next(_NUMBERS)}-")
    yield made
    await asyncio.gather(drop(secured, database.name), drop(secured, template))


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Complaints are compared as sentences: they must not be broken by a narrow terminal."""
    monkeypatch.setenv("COLUMNS", "400")
