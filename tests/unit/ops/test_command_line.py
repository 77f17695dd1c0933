"""The command line's frame: every word has its help, every fault its sentence and its exit code."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys

import pytest
import structlog
import typer
from typer.testing import CliRunner

from processor import errors
from processor.ops.boundary import boundary
from processor.ops.console import readable
from processor.ops.main import COMMANDS, _keep_the_client_quiet, build, load
from processor.ops.runtime import actor, load_settings
from processor.telemetry.logging import configure_logging


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CROUPIER_LANES", "CROUPIER_KAFKA_BOOTSTRAP", "CROUPIER_POSTGRES_DSN"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_of_the_table_has_its_module_and_its_help(command: object) -> None:
    name = next(one.name for one in COMMANDS if one is command)
    result = CliRunner().invoke(build(), [name, "--help"])
    assert result.exit_code == 0, result.output
    assert f"croupier {name}" in result.output


def test_help_names_every_command_and_loads_none() -> None:
    asked = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from processor.ops.main import build\n"
        "print(CliRunner().invoke(build(), ['--help']).output)\n"
        "heavy = {'aiokafka', 'asyncpg', 'pydantic', 'processor.kafka', 'processor.postgres'}\n"
        "print('loaded:', sorted(heavy & sys.modules.keys()))\n"
    )
    printed = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout
    assert "loaded: []" in printed
    for command in COMMANDS:
        assert f" {command.name} " in printed


def test_an_unknown_command_is_wrong_usage() -> None:
    assert CliRunner().invoke(build(), ["balence"]).exit_code == 2


def test_an_unknown_option_of_a_loaded_command_is_wrong_usage() -> None:
    assert CliRunner().invoke(build(), ["migrate", "--frobnicate"]).exit_code == 2


def test_a_wrong_setting_is_named_with_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROUPIER_LANES", "many")
    result = CliRunner().invoke(build(), ["migrate"])
    assert result.exit_code == 2
    assert "CROUPIER_LANES is wrong" in result.stderr
    assert "'many'" in result.stderr


def test_a_wrong_secret_is_named_but_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROUPIER_KAFKA_SASL_PASSWORD", "hunter2")
    monkeypatch.setenv("CROUPIER_LANES", "0")
    with pytest.raises(errors.WrongUsage) as caught:
        load_settings()
    assert "hunter2" not in str(caught.value)


def test_publishing_must_end_before_its_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROUPIER_POSTGRES_DSN", "postgresql://u:hunter2@h/d")
    monkeypatch.setenv("CROUPIER_PUBLISH_TIMEOUT_SECONDS", "20")
    with pytest.raises(errors.WrongUsage) as caught:
        load_settings()
    told = str(caught.value)
    assert told.startswith("CROUPIER_PUBLISH_TIMEOUT_SECONDS is 20 and must be less than ")
    assert "CROUPIER_TRANSACTION_TIMEOUT_SECONDS, which is 20" in told
    assert "hunter2" not in told
    monkeypatch.setenv("CROUPIER_TRANSACTION_TIMEOUT_SECONDS", "20.5")
    assert load_settings().publish_timeout_seconds == 20


@pytest.mark.parametrize(
    ("one", "other"),
    [("EVENTS", "wallet.results"), ("RESULTS", "wallet.dead-letters"), ("DEAD_LETTERS", "wallet.events")],
)
def test_the_three_topics_must_be_three(monkeypatch: pytest.MonkeyPatch, one: str, other: str) -> None:
    monkeypatch.setenv(f"CROUPIER_{one}_TOPIC", other)
    with pytest.raises(errors.WrongUsage, match=f"must name three topics; they are .*{other}.*{other}"):
        load_settings()


def test_an_options_value_stands_above_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROUPIER_LANES", "3")
    monkeypatch.setenv("CROUPIER_PROCESSES", "2")
    settings = load_settings(lanes=5, processes=None)
    assert (settings.lanes, settings.processes) == (5, 2)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.WrongUsage("words"), 2),
        (errors.KafkaUnreachable("no broker"), 3),
        (errors.PostgresUnreachable("no database"), 3),
        (errors.NotMigrated("run croupier migrate"), 4),
        (errors.LayoutDiffers("another layout"), 4),
        (errors.TopicReplaced("another topic"), 1),
    ],
)
def test_a_fault_is_its_sentence_and_its_exit_code(
    error: errors.CroupierError, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as caught, boundary():
        raise error
    assert caught.value.exit_code == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert str(error) in printed.err


def test_ctrl_c_ends_quietly(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught, boundary():
        raise KeyboardInterrupt
    assert caught.value.exit_code == 130
    assert capsys.readouterr().err == ""


def test_our_own_faults_keep_their_traceback() -> None:
    with pytest.raises(ZeroDivisionError), boundary():
        raise ZeroDivisionError


def test_an_unreachable_postgres_is_one_sentence_and_exit_3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROUPIER_POSTGRES_DSN", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.delenv("CROUPIER_POSTGRES_MIGRATOR_DSN", raising=False)
    result = CliRunner().invoke(build(), ["migrate"])
    assert result.exit_code == 3
    assert "CROUPIER_POSTGRES_DSN" in result.stderr


def test_an_unreachable_kafka_is_one_sentence_and_exit_3() -> None:
    asked = subprocess.run(
        [sys.executable, "-m", "processor", "topics", "check"],
        env={**os.environ, "CROUPIER_KAFKA_BOOTSTRAP": "127.0.0.1:1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (asked.returncode, asked.stdout) == (3, "")
    assert asked.stderr.startswith("croupier: Kafka at 127.0.0.1:1 does not answer")
    assert asked.stderr.count("\n") == 1


def test_a_workers_log_still_gets_the_lines_of_the_client() -> None:
    _keep_the_client_quiet()
    stream, root = io.StringIO(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        configure_logging(load_settings(), stream=stream)
        logging.getLogger("aiokafka.conn").warning("Unable to connect")
    finally:
        root.handlers = handlers
        root.setLevel(level)
        structlog.reset_defaults()
    assert "Unable to connect" in stream.getvalue()


def test_terminal_tricks_are_written_out() -> None:
    assert readable("a\x1b[2Jb\nc") == "a\\x1b[2Jb\\nc"
    assert readable("a\nb", lines=True) == "a\nb"
    assert readable("Zoë €") == "Zoë €"


def test_who_acts_is_named_or_the_user_of_the_system() -> None:
    assert actor("eva") == "eva"
    assert actor(None)


def test_each_module_gives_one_application() -> None:
    assert all(isinstance(load(command), typer.Typer) for command in COMMANDS)
