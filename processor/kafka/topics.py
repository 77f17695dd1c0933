"""The three topics: create what is missing, and tell everything that is not as the worker needs it, in one go.

What each topic must be is in `schemas.topics`; here is how it is compared with a cluster.
"""

from __future__ import annotations

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, NoError, TopicAlreadyExistsError, for_code
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_fixed

from processor.errors import TopicDiffers, TopicMissing
from processor.kafka.connection import client_options, connected_client
from processor.kafka.questions import Described, describe_topic, topic_configuration
from processor.kafka.refusals import explained
from processor.kafka.security import as_admin
from processor.settings import Settings
from schemas.topics import DEAD_LETTER_ROOM_BYTES, TOPICS, TopicRole, TopicSpecification, replication_for

# Kafka forgets a group's offsets after seven idle days; what finds a lost receipt again must live longer.
_SHORTEST_RETENTION_MS = 8 * 24 * 60 * 60 * 1000
_DAY_MS = 24 * 60 * 60 * 1000
_VISIBLE_WITHIN_SECONDS = 10.0
_LOOK_EVERY_SECONDS = 0.05


def topic_names(settings: Settings) -> dict[TopicRole, str]:
    """The configured name of each role."""
    return {
        "events": settings.events_topic,
        "results": settings.results_topic,
        "dead-letters": settings.dead_letters_topic,
    }


def output_topics(settings: Settings) -> dict[str, str]:
    """The configured names of the topics that lanes write to, by role."""
    return {"results": settings.results_topic, "dead-letters": settings.dead_letters_topic}


async def require_kafka(settings: Settings) -> None:
    """See that a broker answers. Raises `errors.KafkaUnreachable`."""
    async with connected_client(settings):
        return


async def create_topics(settings: Settings) -> list[str]:
    """Create those of the three topics that are missing; returns their names, the others are left as they are.

    Raises `errors.KafkaUnreachable`, `errors.TopicDiffers` where the cluster refuses.
    """
    settings = as_admin(settings)
    async with connected_client(settings) as client:
        absent = [spec for spec in TOPICS if not await _exists(client, settings, spec)]
        if absent:
            factor, min_insync = _replication(settings, len(client.cluster.brokers()))
            await _create([_new_topic(settings, spec, factor, min_insync) for spec in absent], settings)
        for spec in absent:
            await _until_visible(client, topic_names(settings)[spec.role])
    return [topic_names(settings)[spec.role] for spec in absent]


async def check_topics(settings: Settings, partitions: int) -> None:
    """See that all three topics are as the worker needs them, with this many partitions (the layout's).

    Raises `errors.KafkaUnreachable`, `errors.TopicMissing`, and `errors.TopicDiffers` with every fault at once.
    """
    async with connected_client(settings) as client:
        faults, configurations = await _look_at_all(client, settings, partitions)
    faults += _size_faults(settings, configurations)
    if faults:
        raise TopicDiffers("\n".join(faults))


async def _look_at_all(
    client: AIOKafkaClient, settings: Settings, partitions: int
) -> tuple[list[str], dict[TopicRole, dict[str, str]]]:
    faults: list[str] = []
    configurations: dict[TopicRole, dict[str, str]] = {}
    for spec in TOPICS:
        name = topic_names(settings)[spec.role]
        described = await describe_topic(client, name)
        configuration = await topic_configuration(client, name)
        configurations[spec.role] = configuration
        faults += shape_faults(name, described, partitions, _replication(settings, described.brokers))
        faults += configuration_faults(
            name, spec, configuration, _replication(settings, described.brokers)[1]
        )
    return faults, configurations


def shape_faults(name: str, described: Described, partitions: int, replication: tuple[int, int]) -> list[str]:
    """What is wrong with a topic's partitions and replicas."""
    faults = []
    if described.partitions != partitions:
        faults.append(
            f"{name} has {described.partitions} partitions, the lanes are laid out for {partitions}. Players would "
            "move between partitions. Stop the senders, let the lanes drain, grow all three topics to the same "
            "number, then `croupier lanes resize`."
        )
    if described.replicas < replication[0]:
        faults.append(
            f"{name} has {described.replicas} replicas of a partition, {replication[0]} are needed on "
            f"{described.brokers} brokers: reassign its partitions (kafka-reassign-partitions)."
        )
    return faults


def configuration_faults(
    name: str, spec: TopicSpecification, configuration: dict[str, str], min_insync: int
) -> list[str]:
    """What is wrong with a topic's settings, each with the command that puts it right."""
    required = {key: value for key, value in spec.required.items() if key != "max.message.bytes"}
    required["cleanup.policy"] = "delete"
    faults = [
        _fault(name, key, configuration.get(key, "absent"), value, value)
        for key, value in required.items()
        if configuration.get(key) != value
    ]
    insync = int(configuration.get("min.insync.replicas", "1"))
    if insync < min_insync:
        faults.append(
            _fault(name, "min.insync.replicas", str(insync), f"{min_insync} or more", str(min_insync))
        )
    kept_ms = int(configuration.get("retention.ms", "-1"))
    if spec.role != "events" and 0 <= kept_ms < _SHORTEST_RETENTION_MS:
        days = f"more than {_SHORTEST_RETENTION_MS // _DAY_MS} days"
        faults.append(
            _fault(name, "retention.ms", str(kept_ms), days, spec.defaults.get("retention.ms", "-1"))
        )
    return faults


def _size_faults(settings: Settings, configurations: dict[TopicRole, dict[str, str]]) -> list[str]:
    """A letter is the original and more: a topic that refuses it would refuse it for ever."""
    key = "max.message.bytes"
    needed = int(configurations["events"][key]) + DEAD_LETTER_ROOM_BYTES
    given = int(configurations["dead-letters"][key])
    if given >= needed:
        return []
    least = f"{needed} or more (64 KiB above {settings.events_topic}'s)"
    return [_fault(settings.dead_letters_topic, key, str(given), least, str(needed))]


def _fault(name: str, key: str, found: str, wanted: str, value: str) -> str:
    return (
        f"{name} has {key}={found}, it must be {wanted}: "
        f"`kafka-configs.sh --alter --topic {name} --add-config {key}={value}`."
    )


def _replication(settings: Settings, brokers: int) -> tuple[int, int]:
    factor, min_insync = replication_for(brokers)
    if settings.replication_factor is None:
        return factor, min_insync
    return settings.replication_factor, min(min_insync, settings.replication_factor)


async def _exists(client: AIOKafkaClient, settings: Settings, spec: TopicSpecification) -> bool:
    try:
        await describe_topic(client, topic_names(settings)[spec.role])
    except TopicMissing:
        return False
    except (KafkaError, OSError) as error:
        raise await explained(settings, error) from error
    return True


def _new_topic(settings: Settings, spec: TopicSpecification, factor: int, min_insync: int) -> NewTopic:
    configuration = {**spec.defaults, **spec.required, "min.insync.replicas": str(min_insync)}
    if "retention.ms" in spec.defaults:
        configuration["retention.ms"] = str(settings.retention_days * _DAY_MS)
    name = topic_names(settings)[spec.role]
    return NewTopic(name, settings.partitions, factor, topic_configs=configuration)


async def _create(topics: list[NewTopic], settings: Settings) -> None:
    admin = AIOKafkaAdminClient(**client_options(settings))
    try:
        await admin.start()
        answer = await admin.create_topics(topics)
    except (KafkaError, OSError) as error:
        raise await explained(settings, error) from error
    finally:
        await admin.close()
    for name, code, message in answer.topic_errors:
        error_type = for_code(code)
        if error_type not in (NoError, TopicAlreadyExistsError):
            raise TopicDiffers(
                f"The cluster refuses to create {name}: {message or error_type.__name__}. Check the number of "
                "brokers against CROUPIER_REPLICATION_FACTOR, and that this user may create topics."
            )


async def _until_visible(client: AIOKafkaClient, name: str) -> None:
    """A created topic is known to every broker, with its leaders, only a moment later."""
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(TopicMissing),
        stop=stop_after_delay(_VISIBLE_WITHIN_SECONDS),
        wait=wait_fixed(_LOOK_EVERY_SECONDS),
        reraise=True,
    ):
        with attempt:
            described = await describe_topic(client, name)
            if described.leaderless or not described.partitions:
                raise TopicMissing(
                    f"{name} is created, but partitions {described.leaderless} have no leader yet."
                )
