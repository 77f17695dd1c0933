"""Reference data as people write it: TOML to checked documents, and what a change would change."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from processor.errors import WrongUsage
from processor.postgres.reference import rate_name
from schemas.currencies import BUILT_IN_CURRENCIES, CURRENCY_CODE_PATTERN, LARGEST_EXPONENT

Document = dict[str, Any]
Documents = dict[str, Document]

ProviderName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
GameId = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7E]{1,128}$")]
CurrencyCode = Annotated[str, StringConstraints(pattern=CURRENCY_CODE_PATTERN)]
Jurisdiction = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7E]{1,128}$")]


def _above_zero(rate: str) -> str:
    if not rate.strip("0."):
        raise ValueError("a rate is above zero")
    return rate


#: A decimal number above zero, as text: a binary fraction would not be what was written.
RateText = Annotated[
    str, StringConstraints(pattern=r"^(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,18})?$"), AfterValidator(_above_zero)
]
#: How long a raised limit waits; a year at most, so that nobody waits for ever by a typing error.
RaiseHours = Annotated[int, Field(ge=0, le=366 * 24)]
#: In whose favour a conversion is rounded.
Rounding = Literal["player", "house", "half_even"]
WinKind = Literal["game", "jackpot", "bonus", "promo", "free_round", "tournament", "any"]
#: ``"any"`` alone is written without brackets.
WinKinds = Annotated[list[WinKind], BeforeValidator(lambda given: [given] if given == "any" else given)]

#: What encodes the stored ids: it cannot change once the provider has sent an event.
FIXED_BY_FIRST_EVENT = ("id_scope", "id_includes_type")

#: How many rates of a pair that have come into force are kept.
KEPT_RATES = 24

#: Senders that are the operator's own and have no profile.
_RESERVED = frozenset({"cashier", "operator"})


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ProviderProfile(_Strict):
    """How one provider plays; the first value named is the default."""

    wallet: Literal["seamless", "transfer"] = "seamless"
    transfer_settlement: Literal["wallet", "provider"] = "wallet"
    id_scope: Literal["provider", "player"] = "provider"
    id_includes_type: bool = False
    require_session: bool = True
    win_without_bet: WinKinds = []
    wins_per_bet: Literal["one", "many"] = "one"
    settlement: Literal["per_bet", "per_round"] = "per_bet"
    rollback_unknown: Literal["reject", "accept"] = "reject"
    rollback_amount: Literal["must_match", "ignore"] = "must_match"
    rollback_after_win: Literal["refuse", "allow"] = "refuse"
    win_reversal: Literal["refuse", "take_available", "player_debt"] = "refuse"
    games: Literal["any", "listed"] = "any"
    currencies: list[CurrencyCode] = []
    fx: bool = False
    round_timeout_hours: Annotated[int, Field(ge=1, le=24 * 366)] = 24
    missing_bet_wait_seconds: Annotated[int, Field(ge=0, le=7 * 86_400)] = 60
    status: Literal["active", "suspended"] = "active"


class GameEntry(_Strict):
    """One game of a provider whose profile says ``games = "listed"``."""

    name: Annotated[str, StringConstraints(max_length=200)] = ""
    status: Literal["active", "suspended"] = "active"


class CurrencyEntry(_Strict):
    """A currency beside ISO 4217's: its exponent is the number of decimals of its minor unit."""

    exponent: Annotated[int, Field(ge=0, le=LARGEST_EXPONENT)]


class JurisdictionRules(_Strict):
    """What a jurisdiction decides of its players' wallets; what it does not say is as everywhere else."""

    limit_raise_hours: RaiseHours | None = None
    fx_rounding: Rounding | None = None


class WalletPolicy(_Strict):
    """The wallet's own policy: which pools a stake draws on, in order; rules by jurisdiction, and everywhere else."""

    pool_order: Annotated[list[Literal["cash", "bonus"]], Field(min_length=1, max_length=2)] = [
        "cash",
        "bonus",
    ]
    limit_raise_hours: RaiseHours = 24
    fx_rounding: Rounding = "player"
    rate_max_age_hours: Annotated[int, Field(ge=1, le=366 * 24)] = 24
    jurisdictions: dict[Jurisdiction, JurisdictionRules] = {}


class _WalletFile(_Strict):
    wallet: WalletPolicy


class _ProvidersFile(_Strict):
    providers: dict[ProviderName, ProviderProfile]


class _GamesFile(_Strict):
    games: dict[ProviderName, dict[GameId, GameEntry]]


class _CurrenciesFile(_Strict):
    currencies: dict[CurrencyCode, CurrencyEntry]


class RateEntry(_Strict):
    """How much of ``to`` one unit of ``from`` is, since when, and who says so."""

    source_currency: CurrencyCode = Field(alias="from")
    target_currency: CurrencyCode = Field(alias="to")
    rate: RateText
    at: AwareDatetime
    source: Annotated[str, StringConstraints(pattern=r"^[\x20-\x7E]{1,64}$")]


class _RatesFile(_Strict):
    rates: Annotated[list[RateEntry], Field(min_length=1)]


class Change(NamedTuple):
    """One name's change: None before is new, None after is removed."""

    name: str
    before: Document | None
    after: Document | None


def read_toml(file: Path) -> dict[str, Any]:
    """A TOML file's content. Raises `WrongUsage` that names the file and the place."""
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise WrongUsage(f"The file {file} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise WrongUsage(f"The file {file} is not UTF-8 text: {error}.") from error
    except tomllib.TOMLDecodeError as error:
        raise WrongUsage(f"The file {file} is not TOML: {error}.") from error


def provider_documents(content: Mapping[str, Any]) -> Documents:
    """Complete profiles by provider name, defaults filled in.

    Raises `WrongUsage` naming each wrong key.
    """
    documents = _parse(_ProvidersFile, content, lambda file: dict(file.providers.items()))
    for name in sorted(_RESERVED & documents.keys()):
        raise WrongUsage(f"providers.{name}: this name is the operator's own and has no profile.")
    for name, document in documents.items():
        for code in document["currencies"]:
            if document["currencies"].count(code) > 1:
                raise WrongUsage(f"providers.{name}.currencies: {code} is named twice.")
    return documents


def game_documents(content: Mapping[str, Any]) -> Documents:
    """Games by ``provider/game_id``. Raises `WrongUsage` naming each wrong key."""
    return _parse(
        _GamesFile,
        content,
        lambda file: {
            f"{provider}/{game_id}": game
            for provider, games in file.games.items()
            for game_id, game in games.items()
        },
    )


def currency_documents(content: Mapping[str, Any]) -> Documents:
    """Currencies by code. Raises `WrongUsage`, also where a built-in currency is given another exponent."""
    documents = _parse(_CurrenciesFile, content, lambda file: dict(file.currencies.items()))
    for code, document in documents.items():
        built_in = BUILT_IN_CURRENCIES.get(code, document["exponent"])
        if built_in != document["exponent"]:
            raise WrongUsage(f"currencies.{code}.exponent: it is {built_in} by ISO 4217 and cannot change.")
    return documents


def wallet_documents(content: Mapping[str, Any]) -> Documents:
    """The wallet's policy, as the one document ``policy``. Raises `WrongUsage` naming each wrong key."""
    documents = _parse(_WalletFile, content, lambda file: {"policy": file.wallet})
    order = documents["policy"]["pool_order"]
    if len(set(order)) < len(order):
        raise WrongUsage("wallet.pool_order: a pool is named twice.")
    return documents


def rate_documents(content: Mapping[str, Any]) -> Documents:
    """Rates by ``FROM/TO TIME``. Raises `WrongUsage` naming each wrong key, and a pair of one currency."""
    try:
        file = _RatesFile.model_validate(dict(content))
    except ValidationError as error:
        raise WrongUsage(describe_faults(error)) from None
    documents: Documents = {}
    for number, entry in enumerate(file.rates):
        if entry.source_currency == entry.target_currency:
            raise WrongUsage(f"rates.{number}: {entry.source_currency} is not converted into itself.")
        name = f"{entry.source_currency}/{entry.target_currency} {entry.at.astimezone(UTC).isoformat()}"
        if name in documents:
            raise WrongUsage(f"rates.{number}: the rate {name} is named twice.")
        documents[name] = {"rate": entry.rate, "source": entry.source}
    return documents


def merged_rates(before: Mapping[str, Document], named: Mapping[str, Document]) -> Documents:
    """What is stored once these are added: of each pair the newest ones, and all that are still to come."""
    together = {**before, **named}
    kept: Documents = {}
    passed: dict[tuple[str, str], int] = {}
    now = datetime.now(UTC)
    for name, (source, target, at) in newest_first(together).items():
        pair = (source, target)
        passed[pair] = passed.get(pair, 0) + (at <= now)
        if passed[pair] <= KEPT_RATES:
            kept[name] = together[name]
    return kept


def newest_first(documents: Mapping[str, Document]) -> dict[str, tuple[str, str, datetime]]:
    """(from, to, at) by name: pair by pair, the newest rate of each first."""
    parts = {name: rate_name(name) for name in documents}
    by_time = sorted(parts, key=lambda name: parts[name][2], reverse=True)
    return {name: parts[name] for name in sorted(by_time, key=lambda name: parts[name][:2])}


def changes(before: Mapping[str, Document], after: Mapping[str, Document]) -> list[Change]:
    """What replacing ``before`` by ``after`` changes, by name."""
    names = sorted(before.keys() | after.keys())
    found = [Change(name, before.get(name), after.get(name)) for name in names]
    return [change for change in found if change.before != change.after]


def refuse_fixed_changes(found: Sequence[Change], has_events: Callable[[str], bool]) -> None:
    """Raise `WrongUsage` where a change touches what the provider's first event has fixed."""
    for change in found:
        if change.before is None:
            continue
        for field in FIXED_BY_FIRST_EVENT:
            after = None if change.after is None else change.after.get(field)
            if change.before.get(field) != after and has_events(change.name):
                raise WrongUsage(
                    f"providers.{change.name}.{field} is {change.before.get(field)!r} and cannot change: "
                    "the ids of the provider's stored events are encoded with it."
                )


def refuse_exponent_changes(found: Sequence[Change]) -> None:
    """Raise `WrongUsage` where a configured currency would change its exponent or vanish: stored amounts would
    change their meaning."""
    for change in found:
        if change.before is not None:
            raise WrongUsage(
                f"currencies.{change.name}: its exponent is {change.before['exponent']} and cannot change or go: "
                "amounts are stored in its minor units."
            )


def _parse(
    model: type[Any], content: Mapping[str, Any], pick: Callable[[Any], dict[str, BaseModel]]
) -> Documents:
    try:
        file = TypeAdapter(model).validate_python(dict(content))
    except ValidationError as error:
        raise WrongUsage(describe_faults(error)) from None
    return {name: one.model_dump(mode="json") for name, one in pick(file).items()}


def describe_faults(error: ValidationError) -> str:
    """One sentence for each wrong place of a file: its dotted name, what is wrong, and what it is."""
    sentences = []
    for fault in error.errors(include_url=False):
        place = ".".join(str(part) for part in fault["loc"] if part != "[key]")
        if fault["type"] == "extra_forbidden":
            sentences.append(f"{place}: there is no such key.")
        elif fault["type"] == "missing":
            sentences.append(f"{place}: it is required and missing.")
        else:
            sentences.append(f"{place}: {fault['msg'].rstrip('.')} (it is {str(fault['input'])[:80]!r}).")
    return " ".join(sentences)
