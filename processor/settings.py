"""Every knob of the program, read once from the environment (``CROUPIER_…``), frozen, its unit in its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The program's settings. A wrong value is refused at start with the variable's name."""

    model_config = SettingsConfigDict(env_prefix="CROUPIER_", frozen=True, extra="ignore")

    environment: Literal["development", "staging", "production"] = "development"

    # Kafka
    kafka_bootstrap: str = Field("127.0.0.1:9092", description="host:port, comma separated")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None
    kafka_ca_file: Path | None = None
    kafka_certificate_file: Path | None = Field(None, description="ours, for mutual TLS")
    kafka_key_file: Path | None = None
    kafka_admin_username: str | None = Field(None, description="who creates topics and applies access")
    kafka_admin_password: SecretStr | None = None
    cluster_prefix: str | None = Field(
        None,
        pattern=r"^[a-z0-9][a-z0-9._-]{0,31}$",
        description="before the names of topics, group and app that are not set: two installations on one cluster",
    )
    app: str = Field(
        "croupier", pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$", description="prefix of transactional ids"
    )
    group: str = "croupier"
    events_topic: str = "wallet.events"
    results_topic: str = "wallet.results"
    dead_letters_topic: str = "wallet.dead-letters"
    partitions: int = Field(8, ge=1, le=1024)
    replication_factor: int | None = Field(
        None, ge=1, description="None: 3 where there are 3 brokers, else 1"
    )
    retention_days: int = Field(
        30, ge=8, description="of results and dead letters; longer than offset expiry"
    )
    group_instance_id: str | None = Field(None, description="stable per worker process: static membership")
    session_timeout_seconds: float = Field(10.0, ge=6.0, le=300.0)
    rebalance_timeout_seconds: float = Field(60.0, ge=10.0, le=600.0)
    request_timeout_seconds: float = Field(5.0, gt=0, le=60)
    transaction_timeout_seconds: float = Field(20.0, gt=0, le=900)
    publish_timeout_seconds: float = Field(10.0, gt=0, description="less than the transaction time-out")

    # Postgres
    postgres_dsn: SecretStr = SecretStr("postgresql://croupier_worker@127.0.0.1:5432/croupier")
    postgres_migrator_dsn: SecretStr | None = Field(
        None, description="the owner's, for migrate and reference data"
    )
    postgres_replica_dsn: SecretStr | None = Field(None, description="where audits and histories may read")
    worker_role: str = "croupier_worker"
    owner_role: str | None = Field(None, description="owns the schema, where the migrator itself does not")
    statement_timeout_seconds: float = Field(15.0, gt=0)
    lock_timeout_seconds: float = Field(5.0, gt=0)
    idle_in_transaction_timeout_seconds: float = Field(15.0, gt=0)

    # Lanes
    lanes: int = Field(4, ge=1, le=256)
    processes: int = Field(1, ge=1, le=64)
    shards: int = Field(8, ge=1, description="fixed at install; partitions grow in multiples of it")
    max_batch_records: int = Field(250, ge=1, le=5000)
    max_batch_bytes: int = Field(4 * 1024 * 1024, ge=65_536)
    fetch_wait_seconds: float = Field(0.2, gt=0, le=5)
    max_event_bytes: int = Field(65_536, ge=1024, le=262_144)
    max_parked: int = Field(1000, ge=1, description="events in one player's queue at one provider")
    poison_attempts: int = Field(5, ge=1)
    poison_backoff_seconds: float = Field(1.0, gt=0)
    poison_backoff_max_seconds: float = Field(60.0, gt=0)
    breaker_in_a_row: int = Field(20, ge=1, description="poison events in a row that stop a lane")
    breaker_share: float = Field(
        0.5, gt=0, le=1, description="share of poison among the last breaker_window events"
    )
    breaker_window: int = Field(200, ge=10)
    retry_backoff_seconds: float = Field(0.1, gt=0)
    retry_backoff_max_seconds: float = Field(5.0, gt=0)
    suspect_takeovers: int = Field(
        3, ge=1, description="unclean take-overs at one offset before events are marked"
    )
    drain_timeout_seconds: float = Field(20.0, gt=0)
    providers_cached_seconds: float = Field(300.0, gt=0, description="provider profiles, status among it")
    games_cached_seconds: float = Field(3600.0, gt=0)
    preferences_cached_seconds: float = Field(900.0, gt=0, description="the wallets' policy, currencies")

    # Trust
    signing: Literal["off", "required"] = "off"
    keys_directory: Path | None = Field(None, description="one file per key; see docs/trust.md")
    keys_poll_seconds: float = Field(2.0, gt=0, le=300)
    signature_window_seconds: float = Field(300.0, gt=0, le=86_400)
    sign_results: bool = False
    key_warn_age_days: int = Field(80, ge=1)
    key_max_age_days: int = Field(90, ge=1)

    # What people see
    http_host: str = "127.0.0.1"
    http_port: int = Field(
        0, ge=0, le=65_535, description="/livez, /readyz, /metrics; 0: any free port, logged"
    )
    stall_seconds: float = Field(
        60.0, gt=0, description="a lane whose loop has not turned for so long is not alive"
    )
    log_format: Literal["json", "console"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @model_validator(mode="before")
    @classmethod
    def _put_the_prefix_before_what_is_not_named(cls, given: dict[str, Any]) -> dict[str, Any]:
        prefix = given.get("cluster_prefix")
        if not prefix or not isinstance(prefix, str):
            return given
        names = ("events_topic", "results_topic", "dead_letters_topic", "group", "app")
        return {**{name: f"{prefix}{cls.model_fields[name].default}" for name in names}, **given}

    @model_validator(mode="after")
    def _publishing_ends_before_its_transaction(self) -> Self:
        if self.publish_timeout_seconds >= self.transaction_timeout_seconds:
            raise ValueError(
                f"CROUPIER_PUBLISH_TIMEOUT_SECONDS is {self.publish_timeout_seconds:g} and must be less than "
                f"CROUPIER_TRANSACTION_TIMEOUT_SECONDS, which is {self.transaction_timeout_seconds:g}: the lane must "
                "give a batch up before the broker does"
            )
        return self

    @model_validator(mode="after")
    def _whoever_logs_in_has_a_name_and_a_password(self) -> Self:
        named = self.kafka_sasl_username is not None and self.kafka_sasl_password is not None
        if self.kafka_security_protocol.startswith("SASL") and not named:
            raise ValueError(
                f"CROUPIER_KAFKA_SECURITY_PROTOCOL is {self.kafka_security_protocol} and needs both "
                "CROUPIER_KAFKA_SASL_USERNAME and CROUPIER_KAFKA_SASL_PASSWORD"
            )
        pairs = {
            "CROUPIER_KAFKA_CERTIFICATE_FILE and CROUPIER_KAFKA_KEY_FILE": (
                self.kafka_certificate_file,
                self.kafka_key_file,
            ),
            "CROUPIER_KAFKA_ADMIN_USERNAME and CROUPIER_KAFKA_ADMIN_PASSWORD": (
                self.kafka_admin_username,
                self.kafka_admin_password,
            ),
        }
        for names, (one, other) in pairs.items():
            if (one is None) != (other is None):
                raise ValueError(f"{names} belong together: set both, or neither")
        return self

    @model_validator(mode="after")
    def _whoever_signs_has_keys(self) -> Self:
        if (self.signing == "required" or self.sign_results) and self.keys_directory is None:
            raise ValueError(
                "CROUPIER_KEYS_DIRECTORY is not set, and CROUPIER_SIGNING or CROUPIER_SIGN_RESULTS asks for keys: "
                "name the directory that holds them"
            )
        return self

    @model_validator(mode="after")
    def _topics_are_three(self) -> Self:
        if len({self.events_topic, self.results_topic, self.dead_letters_topic}) < 3:
            raise ValueError(
                "CROUPIER_EVENTS_TOPIC, CROUPIER_RESULTS_TOPIC and CROUPIER_DEAD_LETTERS_TOPIC must name three "
                f"topics; they are {self.events_topic}, {self.results_topic} and {self.dead_letters_topic}"
            )
        return self
