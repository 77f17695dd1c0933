"""A whole installation with signing on: what is forged moves nothing, and no output of anything holds a secret."""

from __future__ import annotations

import asyncio
import base64
import json
import urllib.request
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import pytest

from processor.devstack.stack import KAFKA_BOOTSTRAP, POSTGRES_MIGRATOR_DSN, Stack, security_of
from processor.kafka.tailing import read_to_end
from processor.keys.ring import read_directory
from processor.settings import Settings
from schemas.signing import verify
from tests.acceptance.commands.conftest import Installation, LogLines, Typed, running
from tests.acceptance.commands.test_operating import PROVIDERS, deposit, open_player, play
from tests.installations import drop, make_database, make_topics


@dataclass
class Signed:
    """The installation, and everything that anybody could read of it."""

    installation: Installation
    keys: Path
    heard: list[str] = field(default_factory=list)
    secrets: set[bytes] = field(default_factory=set)

    async def type(self, *words: object, code: int = 0, **variables: str) -> Typed:
        typed = await self.installation.type(*words, **variables)
        self.heard += [typed.out, typed.err]
        assert typed.code == code, typed
        self.note_secrets()
        return typed

    def note_secrets(self) -> None:
        """Remember every secret that there is or was."""
        files = read_directory(self.keys).files.values() if self.keys.is_dir() else ()
        self.secrets |= {file.secret.get_secret_value() for file in files if file.secret is not None}

    async def send(self, name: str, *events: object, options: Iterable[str] = (), code: int = 0) -> Typed:
        file = self.installation.events(name, *events)
        return await self.type("send", file, "--wait", "--json", *options, code=code)


@pytest.fixture(scope="module")
async def signed(
    stack: Stack, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Signed]:
    """Keys for acme, the cashier and the operator; a database and topics; nothing runs yet."""
    database = await make_database(stack, template)
    topics = await make_topics(stack.environment()[KAFKA_BOOTSTRAP], 2, security_of(stack.environment()))
    directory = tmp_path_factory.mktemp("signed")
    environment = {
        **stack.environment(),
        **database.environment(),
        **topics.environment(),
        "CROUPIER_LANES": "1",
        "CROUPIER_SESSION_TIMEOUT_SECONDS": "6",
        "CROUPIER_ENVIRONMENT": "staging",
        "CROUPIER_SIGNING": "required",
        "CROUPIER_SIGN_RESULTS": "true",
        "CROUPIER_KEYS_DIRECTORY": str(directory / "keys"),
        "CROUPIER_KEYS_POLL_SECONDS": "0.2",
        "CROUPIER_LOG_LEVEL": "debug",
    }
    one = Signed(Installation(environment, directory), directory / "keys")
    for owner in ("acme", "cashier", "operator"):
        await one.type("keys", "new", owner, "--id", f"{owner}-1")
    yield one
    await drop(stack, database.name)


async def test_no_output_of_a_whole_installation_holds_a_secret(signed: Signed) -> None:
    nowhere = str(signed.installation.directory / "no")
    refused = await signed.installation.run_program("run", CROUPIER_KEYS_DIRECTORY=nowhere)
    assert (refused.code, "CROUPIER_KEYS_DIRECTORY" in refused.err) == (4, True)
    async with running(signed.installation) as worker:
        await worker.until_ready(1)
        await play_and_forge(signed)
        await change_keys(signed, worker)
        await look_at_everything(signed, worker)
    signed.heard += [json.dumps(line) for line in worker.lines]
    assert worker.process.stdout is not None
    signed.heard.append((await worker.process.stdout.read()).decode())
    told = [*(text.encode() for text in signed.heard), *await kept(signed)]
    assert len(signed.secrets) >= 5
    found = [bytes(text[:200]) for text in told for form in forms(signed.secrets) if form in text]
    assert found == []


async def play_and_forge(signed: Signed) -> None:
    """What is signed by its sender is answered; what nobody or another signed becomes a dead letter; all sent again."""
    providers = signed.installation.file("providers.toml", PROVIDERS)
    await signed.type("providers", "apply", providers, "--yes")
    answered = await signed.send(
        "good.jsonl", open_player("ann"), deposit("ann", "10.00"), play("bet", "ann", "b-1", "1.00")
    )
    assert [line["code"] for line in answered.json_lines()] == ["OK"] * 3
    again = await signed.send("again.jsonl", play("bet", "ann", "b-1", "1.00"))
    assert again.json_lines()[0]["replayed"] is True
    forged = play("bet", "ann", "b-forged", "1.00")
    refused = [
        await signed.send("forged.jsonl", forged, options=["--unsigned"], code=1),
        await signed.send("stolen.jsonl", forged, options=["--key", "cashier-1"], code=1),
    ]
    reasons = [answer.json_lines()[0]["headers"]["wallet-dlq-reason"] for answer in refused]
    assert reasons == ["BAD_SIGNATURE", "NOT_PERMITTED"]


async def change_keys(signed: Signed, worker: LogLines) -> None:
    """Rotate, revoke, break a file: the worker learns of it without a restart, and tells no secret."""
    rotated = (await signed.type("keys", "rotate", "acme-1", "--json")).json()
    await signed.type("keys", "revoke", "cashier-1", "--reason", "the test says so")
    await signed.type("keys", "new", "cashier", "--id", "cashier-2")
    await worker.until(
        lambda line: line["action"] == "keys.read" and {rotated["new"], "cashier-2"} <= {*line["key_ids"]}
    )
    broken = read_directory(signed.keys).files["acme-1.toml"]
    assert broken.secret is not None
    hexed = broken.secret.get_secret_value().hex()
    (signed.keys / "broken.toml").write_text(f'id = "broken"\nsecret = "{hexed}" {hexed}\n')
    (signed.keys / "short.toml").write_text(f'id = "short"\nsecret = "{hexed[:20]}"\n{hexed} = 1\n')
    await worker.until(lambda line: line["action"] == "keys.trouble" and "short.toml" in line["message"])
    answer = await signed.send("rotated.jsonl", play("bet", "ann", "b-2", "1.00"), deposit("ann", "1.00", 2))
    assert [line["code"] for line in answer.json_lines()] == ["OK", "OK"]
    checked = await signed.type("keys", "check", "--json", code=1)
    assert {finding["key"] for finding in checked.json()} >= {"broken.toml", "short.toml"}
    await signed.type("keys", "rotate", "nobody", code=2)
    await signed.type("keys", "new", "acme", "--id", "acme-1", code=2)


async def look_at_everything(signed: Signed, worker: LogLines) -> None:
    """Every command that shows something, in both forms, and the worker's own pages."""
    letters = (await signed.type("dead-letters", "list", "--json")).json()["letters"]
    for words in (
        ["keys", "list"],
        ["keys", "check"],
        ["dead-letters", "list"],
        ["lanes", "list"],
        ["audit"],
    ):
        for form in ([], ["--json"]):
            await signed.type(*words, *form, code=1 if words[1:] == ["check"] else 0)
    for letter in letters:
        await signed.type("dead-letters", "show", letter["letter_id"])
        await signed.type("dead-letters", "show", letter["letter_id"], "--json")
    await signed.type("dead-letters", "replay", "--all", "--dry-run")
    await signed.type("dead-letters", "replay", letters[0]["letter_id"], "--reason", "to see")
    for words in (["--no-follow"], ["--no-follow", "--dead-letters"]):
        await signed.type("tail", *words, "--json")
        await signed.type("tail", *words)
    await signed.type("history", "ann", "--json")
    port = next(line["port"] for line in worker.lines if line["action"] == "http.listening")
    for page in ("metrics", "readyz", "livez"):
        signed.heard.append(await asyncio.to_thread(read_page, f"http://127.0.0.1:{port}/{page}"))
    assert 'croupier_key_age_seconds{key_id="acme-1",owner="acme"}' in "".join(signed.heard)


async def kept(signed: Signed) -> list[bytes]:
    """Every record of the three topics, every row of the database, as bytes."""
    variables = {
        name.removeprefix("CROUPIER_").lower(): text for name, text in signed.installation.environment.items()
    }
    settings = Settings.model_validate(variables)
    found: list[bytes] = []
    for topic in (settings.events_topic, settings.results_topic, settings.dead_letters_topic):
        async for record in read_to_end(settings, topic):
            found += [
                record.key or b"",
                record.value or b"",
                *(content or b"" for _, content in record.headers),
            ]
            if topic == settings.results_topic:
                assert_signed(
                    signed, record.value or b"", {name: content or b"" for name, content in record.headers}
                )
    connection = await asyncpg.connect(signed.installation.environment[POSTGRES_MIGRATOR_DSN])
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'croupier'")
        for (table,) in tables:
            rows = await connection.fetch(f'SELECT t::text FROM croupier."{table}" t')
            found += [row[0].encode() for row in rows]
        noted = await connection.fetch("SELECT action FROM croupier.operator_actions ORDER BY number")
    finally:
        await connection.close()
    actions = [row[0] for row in noted if row[0].startswith("keys.")]
    assert actions == ["keys.new"] * 3 + ["keys.rotate", "keys.revoke", "keys.new"]
    return found


def assert_signed(signed: Signed, value: bytes, headers: dict[str, bytes]) -> None:
    file = read_directory(signed.keys).files[f"{headers['x-key-id'].decode()}.toml"]
    assert file.secret is not None
    assert file.owner == "operator"
    assert verify(file.secret.get_secret_value(), value, headers["x-timestamp"], headers["x-signature"])


def forms(secrets: Iterable[bytes]) -> list[bytes]:
    """How a secret could stand in a text: hex (as Postgres and people write it), base64, Python's own way, raw."""
    found: list[bytes] = []
    for secret in secrets:
        hexed = secret.hex().encode()
        found += [
            hexed[:20],
            hexed[:20].upper(),
            base64.b64encode(secret)[:16],
            base64.urlsafe_b64encode(secret)[:16],
        ]
        found += [repr(secret)[2:-1].encode()[:16], secret[:12]]
    return found


def read_page(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        text: str = answer.read().decode()
    return text
