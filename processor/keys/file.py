"""A key's file, `<id>.toml`: what is in it, and how it is read without a byte of it ever being repeated.

Whatever is wrong is told by the file's name, the field and what it should be; never by what stands in it.
"""

from __future__ import annotations

import tomllib
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SecretBytes,
    ValidationError,
    field_validator,
    model_validator,
)

from schemas.events import ALL_TYPES
from schemas.events.fields import PROVIDER_PATTERN
from schemas.signing import LEAST_SECRET_BYTES

SUFFIX: Final = ".toml"
#: More than this no key has; what is larger is read no further.
MOST_BYTES: Final = 65_536

Environment = Literal["development", "staging", "production"]


class KeyFile(BaseModel):
    """One key as it is written down. ``types`` None: all that its owner may send. A revoked key has no secret."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    id: Annotated[str, Field(pattern=PROVIDER_PATTERN)]
    environment: Environment
    owner: Annotated[str, Field(pattern=PROVIDER_PATTERN)]
    types: tuple[str, ...] | None = None
    created_at: AwareDatetime
    not_before: AwareDatetime | None = None
    not_after: AwareDatetime | None = None
    revoked_at: AwareDatetime | None = None
    secret: SecretBytes | None = None

    @field_validator("types")
    @classmethod
    def _types_are_the_contracts(cls, types: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if types is not None and not ALL_TYPES.issuperset(types):
            raise ValueError("names an event type that the contract does not have")
        return types

    @field_validator("secret", mode="before")
    @classmethod
    def _secret_is_hex(cls, secret: object) -> object:
        if isinstance(secret, str):
            try:
                return bytes.fromhex(secret)
            except ValueError:
                raise ValueError("is not hex") from None
        return secret

    @field_validator("secret")
    @classmethod
    def _secret_is_long(cls, secret: SecretBytes | None) -> SecretBytes | None:
        if secret is not None and len(secret.get_secret_value()) < LEAST_SECRET_BYTES:
            raise ValueError(f"has less than {LEAST_SECRET_BYTES} bytes")
        return secret

    @model_validator(mode="after")
    def _either_secret_or_revoked(self) -> Self:
        if (self.secret is None) != (self.revoked_at is not None):
            raise ValueError("a key has a secret, or is revoked and has none")
        return self


class BadKeyFile(ValueError):
    """A file in the keys' directory is no key; the message says what is wrong, and nothing of what is in it."""


def read_key(name: str, content: bytes) -> KeyFile:
    """The key in a file of this name. Raises `BadKeyFile`."""
    if len(content) > MOST_BYTES:
        raise BadKeyFile(f"{name} is larger than {MOST_BYTES} bytes, so it is no key.")
    try:
        key = KeyFile.model_validate(_parsed(name, content))
    except ValidationError as error:
        raise BadKeyFile(f"{name} is no key: {_faults(error)}.") from None
    if name != key.id + SUFFIX:
        raise BadKeyFile(
            f"{name} is not called after its id: the key {key.id} belongs into {key.id}{SUFFIX}."
        )
    return key


def _parsed(name: str, content: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError):
        raise BadKeyFile(f"{name} is not TOML in UTF-8.") from None


def _faults(error: ValidationError) -> str:
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{_place(fault['loc'])}{_words(fault)}" for fault in faults)


def _words(fault: Any) -> str:
    return str(fault["msg"]).removeprefix("Value error, ")


def _place(loc: tuple[int | str, ...]) -> str:
    # The name of an unknown field is the file's own text, and not repeated either.
    return f"{loc[0]}: " if loc and loc[0] in KeyFile.model_fields else ""


def write_key(key: KeyFile) -> bytes:
    """The file's content: `read_key` gives the same key again."""
    lines = [f'id = "{key.id}"', f'environment = "{key.environment}"', f'owner = "{key.owner}"']
    if key.types is not None:
        lines.append("types = [{}]".format(", ".join(f'"{one}"' for one in key.types)))
    for name in ("created_at", "not_before", "not_after", "revoked_at"):
        time = getattr(key, name)
        if time is not None:
            lines.append(f"{name} = {time.isoformat()}")
    if key.secret is not None:
        lines.append(f'secret = "{key.secret.get_secret_value().hex()}"')
    return "\n".join([*lines, ""]).encode()
