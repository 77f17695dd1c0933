"""The Dockerfile and the compose file say what the program says: no engine runs here that would tell us."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
import yaml

from processor.devstack.containers import KAFKA_IMAGE, POSTGRES_IMAGE
from processor.ops.main import COMMANDS
from processor.settings import Settings
from tests.house.sources import ROOT, text_of

_PREFIX = "CROUPIER_"
_TOPIC_SETTINGS = ("events_topic", "results_topic", "dead_letters_topic", "partitions")


def _compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(text_of(ROOT / "docker-compose.yml"))
    return loaded


def _ours() -> dict[str, dict[str, Any]]:
    """The services that run the program."""
    return {name: service for name, service in _compose()["services"].items() if "build" in service}


def _variables(service: dict[str, Any]) -> dict[str, str]:
    """A service's variables for the program, with the defaults of what compose would put in."""
    return {
        name.removeprefix(_PREFIX).lower(): re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)
        for name, value in service["environment"].items()
        if name.startswith(_PREFIX)
    }


@pytest.mark.parametrize("name", ["migrate", "topics", "worker"])
def test_every_variable_is_a_setting_that_the_program_accepts(name: str) -> None:
    variables = _variables(_ours()[name])
    settings = Settings.model_validate(variables)

    assert variables.keys() <= Settings.model_fields.keys()
    assert settings.http_port == 8080


@pytest.mark.parametrize("name", ["migrate", "topics", "worker"])
def test_topics_and_partitions_are_the_programs_own(name: str) -> None:
    settings = Settings.model_validate(_variables(_ours()[name]))

    for setting in _TOPIC_SETTINGS:
        assert getattr(settings, setting) == Settings.model_fields[setting].default


def test_every_command_is_one_of_the_programs() -> None:
    known = {command.name for command in COMMANDS}

    assert {service["command"][0] for service in _ours().values()} <= known
    assert set(_ours()) == {"migrate", "topics", "worker"}


def test_the_servers_are_those_of_the_other_stacks() -> None:
    services = _compose()["services"]

    assert services["kafka"]["image"] == KAFKA_IMAGE
    assert services["postgres"]["image"] == POSTGRES_IMAGE
    assert services["kafka"]["environment"]["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_every_image_is_pinned_by_version() -> None:
    images = [service["image"] for service in _compose()["services"].values()]
    bases = re.findall(r"^FROM (\S+)", text_of(ROOT / "Dockerfile"), re.MULTILINE)

    assert all(re.search(r":v?\d", image) for image in [*images, *bases])


def test_the_worker_drains_before_it_is_killed() -> None:
    grace = _ours()["worker"]["stop_grace_period"]

    assert float(grace.removesuffix("s")) > Settings.model_fields["drain_timeout_seconds"].default


def test_the_image_runs_as_nobody_and_installs_only_what_is_locked() -> None:
    dockerfile = text_of(ROOT / "Dockerfile")
    installs = [line for line in dockerfile.splitlines() if "pip install" in line]

    assert re.search(r"^USER 10001:10001$", dockerfile, re.MULTILINE)
    assert installs
    assert all("--require-hashes" in line or "--no-deps" in line for line in installs)


def test_the_image_has_the_python_that_the_project_needs() -> None:
    wanted = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]["requires-python"]
    bases = re.findall(r"^FROM python:3\.(\d+)", text_of(ROOT / "Dockerfile"), re.MULTILINE)

    assert len(bases) == 2
    assert {int(minor) for minor in bases} <= set(range(int(wanted.removeprefix(">=3.")), 99))
