"""One face for every way to have Kafka and Postgres. We only take down what we own.

EmbeddedStack     both as child processes, from packages alone (embedded.py)
ExternalStack     somebody else's servers, named in the environment
ContainersStack   both as containers, where a Docker engine answers (containers.py)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, Self

from processor.devstack.readiness import kafka_answers, postgres_answers
from processor.errors import KafkaUnreachable, PostgresUnreachable, WrongUsage
from processor.settings import Settings

KAFKA_BOOTSTRAP = "CROUPIER_KAFKA_BOOTSTRAP"
POSTGRES_DSN = "CROUPIER_POSTGRES_DSN"
POSTGRES_MIGRATOR_DSN = "CROUPIER_POSTGRES_MIGRATOR_DSN"


#: How the variables begin that let a client into a secured Kafka.
_KAFKA_SECURITY = (
    "CROUPIER_KAFKA_SECURITY_",
    "CROUPIER_KAFKA_SASL_",
    "CROUPIER_KAFKA_ADMIN_",
    "CROUPIER_KAFKA_CA_",
    "CROUPIER_KAFKA_CERTIFICATE_",
    "CROUPIER_KAFKA_KEY_",
)


def settings_from(environment: Mapping[str, str]) -> Settings:
    """The settings that a program with these variables would have."""
    given = {name.removeprefix("CROUPIER_").lower(): value for name, value in environment.items()}
    return Settings.model_validate({**Settings().model_dump(exclude_unset=True), **given})


def security_of(environment: Mapping[str, str]) -> dict[str, Any]:
    """aiokafka's keyword arguments for whoever makes or looks at things there: the administrator, if one is named."""
    from processor.kafka.security import as_admin, security_options

    own = {name: value for name, value in environment.items() if name.startswith(_KAFKA_SECURITY)}
    return security_options(as_admin(settings_from(own)))


class Stack(Protocol):
    """A Kafka and a Postgres to work with."""

    async def start(self) -> None:
        """Returns when both answer; raises CroupierError when they do not."""

    async def stop(self) -> None:
        """Takes down what this object started, nothing else."""

    def environment(self) -> dict[str, str]:
        """The variables that point the program at this stack; complete once it is started."""


class ExternalStack:
    """Servers that are somebody else's: looked at, never started or stopped."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """`environment` names all three variables, and what Kafka's security needs where it has any.

        Raises WrongUsage for the first that is missing.
        """
        names = (KAFKA_BOOTSTRAP, POSTGRES_DSN, POSTGRES_MIGRATOR_DSN)
        missing = [name for name in names if not environment.get(name)]
        if missing:
            raise WrongUsage(f"An external stack needs {missing[0]} in the environment.")
        self._environment = {
            name: value
            for name, value in environment.items()
            if name in names or name.startswith(_KAFKA_SECURITY)
        }

    @classmethod
    def named_in(cls, environment: Mapping[str, str]) -> Self | None:
        """The external stack that the environment names, None if it names none."""
        return cls(environment) if environment.get(KAFKA_BOOTSTRAP) else None

    async def start(self) -> None:
        """Look whether both answer. Raises KafkaUnreachable, PostgresUnreachable."""
        problem = await kafka_answers(self._environment[KAFKA_BOOTSTRAP], security_of(self._environment))
        if problem is not None:
            raise KafkaUnreachable(f"Kafka does not answer: {problem}. See {KAFKA_BOOTSTRAP}.")
        for name in (POSTGRES_DSN, POSTGRES_MIGRATOR_DSN):
            problem = await postgres_answers(self._environment[name])
            if problem is not None:
                raise PostgresUnreachable(f"Postgres does not answer: {problem}. See {name}.")

    async def stop(self) -> None:
        """Nothing: they are not ours."""

    def environment(self) -> dict[str, str]:
        """The variables as they were given."""
        return dict(self._environment)
