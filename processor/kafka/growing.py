"""Growing the three topics to more partitions: results and dead letters first, so that no event lacks its place."""

from __future__ import annotations

from collections.abc import Sequence

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from aiokafka.errors import KafkaConnectionError, KafkaError
from tenacity import AsyncRetrying, retry_if_result, stop_after_delay, wait_fixed

from processor.errors import TopicDiffers
from processor.kafka.connection import client_options, connected_client
from processor.kafka.questions import describe_topic
from processor.kafka.refusals import unreachable
from processor.kafka.security import as_admin
from processor.settings import Settings

_VISIBLE_WITHIN_SECONDS = 10.0
_LOOK_EVERY_SECONDS = 0.05


async def grow_topics(settings: Settings, partitions: int) -> list[str]:
    """Bring all three topics to so many partitions, as the administrator where one is named; names what grew.

    Again: goes on where it ended. Raises `errors.KafkaUnreachable`, `errors.TopicMissing`, `errors.TopicDiffers` where
    the cluster refuses or a topic has more already.
    """
    settings = as_admin(settings)
    wanted = (settings.results_topic, settings.dead_letters_topic, settings.events_topic)
    smaller = [name for name in wanted if await _partitions(settings, name) < partitions]
    for name in smaller:
        await _grow(settings, name, partitions)
    await _until_all_have(settings, smaller, partitions)
    return smaller


async def _partitions(settings: Settings, name: str) -> int:
    async with connected_client(settings) as client:
        return (await describe_topic(client, name)).partitions


async def _grow(settings: Settings, name: str, partitions: int) -> None:
    admin = AIOKafkaAdminClient(**client_options(settings))
    try:
        await admin.start()
        await admin.create_partitions({name: NewPartitions(partitions)})
    except (KafkaConnectionError, OSError) as error:
        raise unreachable(settings, error) from error
    except KafkaError as error:
        raise TopicDiffers(
            f"The cluster refuses to grow {name} to {partitions} partitions: {error}."
        ) from error
    finally:
        await admin.close()


async def _until_all_have(settings: Settings, names: Sequence[str], partitions: int) -> None:
    """New partitions have leaders only a moment later."""

    async def ready() -> bool:
        async with connected_client(settings) as client:
            described = [await describe_topic(client, name) for name in names]
        return all(one.partitions == partitions and not one.leaderless for one in described)

    await AsyncRetrying(
        retry=retry_if_result(lambda ok: not ok),
        stop=stop_after_delay(_VISIBLE_WITHIN_SECONDS),
        wait=wait_fixed(_LOOK_EVERY_SECONDS),
        reraise=True,
    )(ready)
