"""`croupier demo` as a program: it plays, kills, audits, and says so; and it leaves nothing behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from typing import Any

import psutil
import pytest

CROUPIER = [sys.executable, "-m", "processor"]


@pytest.mark.timeout(300)
def test_the_demo_ends_clean_with_a_worker_killed_on_the_way() -> None:
    words = ["demo", "--seconds", "8", "--rate", "300", "--players", "200", "--seed", "5", "--json"]
    done = subprocess.run([*CROUPIER, *words], capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert report["audit"] == "clean"
    assert report["seed"] == 5
    assert report["events"] >= 2400
    assert report["results"] == report["accepted"] + report["rejected"] + report["replayed"]
    assert report["events"] == report["results"] + report["dead_letters"]
    assert min(report["accepted"], report["rejected"], report["replayed"], report["dead_letters"]) > 0
    assert report["events_per_second"] > 0
    assert 0 < report["p50_ms"] <= report["p99_ms"]
    assert report["workers_killed"] == 1
    assert report["dead_letters_by_reason"]["POISON"] == 3
    assert report["balances_compared"] == 220, "the cash of 200 players, 20 game wallets and bonuses"


@pytest.mark.timeout(180)
def test_an_interrupted_demo_leaves_no_process_behind() -> None:
    # A shell that starts its work in the background hands down an ignored SIGINT; a person's terminal does not.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        demo = subprocess.Popen(
            [*CROUPIER, "demo", "--seconds", "60"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    finally:
        signal.signal(signal.SIGINT, before)
    try:
        _interrupt_and_look(demo)
    finally:
        demo.kill()
        demo.wait(60)


def _interrupt_and_look(demo: subprocess.Popen[bytes]) -> None:
    begun: set[psutil.Process] = set()
    give_up_at = time.monotonic() + 60
    while not _has_java(begun) and demo.poll() is None and time.monotonic() < give_up_at:
        begun |= set(psutil.Process(demo.pid).children(recursive=True))
        time.sleep(0.2)
    assert _has_java(begun), "the stack was never started"
    demo.send_signal(signal.SIGINT)
    demo.wait(60)
    _, alive = psutil.wait_procs(list(begun), timeout=20)
    assert alive == []
    assert demo.returncode != 0


def _has_java(processes: set[psutil.Process]) -> bool:
    return any(one.is_running() and one.name() == "java" for one in processes)
