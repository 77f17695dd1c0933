"""What a seed means: how many workers and lanes, what is sent, and which troubles strike how often.

Each seed leaves most troubles out and makes the others frequent: rare combinations are found sooner so than by a
little of everything every time.
"""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """One world's figures. Probabilities are per occasion (a request, a step); times are virtual seconds."""

    partitions: int = 4
    lanes: int = 2
    workers: int = 2
    events: int = 24
    sending_seconds: float = 12.0
    max_batch_records: int = 4
    shuffled: bool = True
    slow: float = 0.0
    slow_seconds: float = 0.0
    marker_seconds: float = 0.0
    kafka_cut: float = 0.0
    echo: float = 0.0
    unmarked: float = 0.0
    refused: float = 0.0
    fetch_fails: float = 0.0
    offsets_unknown: float = 0.0
    postgres_cut: float = 0.0
    commit_lost: float = 0.0
    crash_at_step: float = 0.0
    pause_at_step: float = 0.0
    crashes: int = 0
    pauses: int = 0
    leaves: int = 0
    outages: int = 0
    failover: bool = False
    results_forgotten: bool = False


def plan_of(seed: int) -> Plan:
    """The plan of a seed: always the same."""
    dice = random.Random(f"plan {seed}")

    def sometimes(share: float, probability: float) -> float:
        return probability * (0.3 + dice.random()) if dice.random() < share else 0.0

    partitions = dice.choice([2, 3, 4])
    return Plan(
        partitions=partitions,
        lanes=dice.choice([1, 2, 2]),
        workers=dice.choice([1, 2, 2, 3]),
        events=dice.choice([12, 20, 30]),
        sending_seconds=dice.choice([2.0, 8.0, 16.0]),
        max_batch_records=dice.choice([1, 2, 5, 20]),
        shuffled=dice.random() < 0.5,
        slow=sometimes(0.4, 0.1),
        slow_seconds=dice.choice([0.2, 1.0, 4.0]),
        marker_seconds=dice.choice([0.0, 0.05, 1.0]),
        kafka_cut=sometimes(0.3, 0.05),
        echo=sometimes(0.25, 0.5),
        unmarked=sometimes(0.25, 0.5),
        refused=sometimes(0.2, 0.1),
        fetch_fails=sometimes(0.3, 0.15),
        offsets_unknown=sometimes(0.3, 0.4),
        postgres_cut=sometimes(0.3, 0.03),
        commit_lost=sometimes(0.3, 0.2),
        crash_at_step=sometimes(0.3, 0.01),
        pause_at_step=sometimes(0.3, 0.01),
        crashes=dice.choice([0, 0, 1, 2]),
        pauses=dice.choice([0, 0, 1, 2]),
        leaves=dice.choice([0, 0, 1]),
        outages=dice.choice([0, 0, 0, 1]),
        failover=dice.random() < 0.08,
    )
