"""Whether an answer is what a step expects: each difference as one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from processor.devstack.replies import Reply

_BALANCE: Final = frozenset({"cash", "bonus", "game_wallet", "debt", "total"})
#: Said of a step, not of its result.
_ABOUT_THE_STEP: Final = frozenset({"within_seconds", "replayed_count"})


def differences(expect: Mapping[str, Any], replies: Sequence[Reply]) -> list[str]:
    """What is wrong with the replies to one event; empty if all is as expected.

    An expected dead letter means: that letter and no result. ``no_result`` means: nothing at all.
    """
    if expect.get("no_result"):
        return [f"expected no answer, got {reply.in_words()}" for reply in replies]
    if not replies:
        return ["no answer came"]
    if len(replies) > 1:
        return [
            f"{len(replies)} answers came, where exactly one must: {', '.join(one.in_words() for one in replies)}"
        ]
    (reply,) = replies
    if "dead_letter" in expect:
        if reply.reason == expect["dead_letter"]:
            return []
        return [f"expected a dead letter {expect['dead_letter']}, got {reply.in_words()}"]
    if reply.body is None:
        return [f"expected a result, got {reply.in_words()}"]
    return result_differences(expect, reply.body)


def result_differences(expect: Mapping[str, Any], result: Mapping[str, Any]) -> list[str]:
    """Where a result differs from what is expected of it; only what is named is compared."""
    found: list[str] = []
    for name, expected in expect.items():
        if name in _ABOUT_THE_STEP:
            continue
        actual = _actual(name, result)
        if actual != expected:
            found.append(
                f"expected {name} {expected!r}, got {actual!r} ({result.get('code')}: {result.get('message')})"
            )
    return found


def together_differences(expect: Mapping[str, Any], results: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is wrong after several events sent at once: balances are those of the result decided last."""
    found: list[str] = []
    if "replayed_count" in expect:
        replayed = sum(bool(result.get("replayed")) for result in results)
        if replayed != expect["replayed_count"]:
            found.append(f"expected {expect['replayed_count']} repeats, got {replayed}")
    if results and expect.keys() - _ABOUT_THE_STEP:
        last = max(results, key=lambda result: int(result.get("sequence") or 0))
        found += result_differences(expect, last)
    return found


def copy_differences(original: Reply, replies: Sequence[Reply]) -> list[str]:
    """What is wrong with the replies to a copy: there must be one, the same as the event's own.

    An answer that may yet change (``retryable``) is no bond: the copy can find more than its event did.
    """
    if len(replies) != 1:
        return [f"{len(replies)} answers came, where exactly one must"]
    (reply,) = replies
    if original.body is None or reply.body is None:
        same = (original.reason, original.body is None) == (reply.reason, reply.body is None)
    else:
        same = bool(original.body.get("retryable")) or original.body.get("code") == reply.body.get("code")
    return [] if same else [f"the event was answered {original.in_words()}, its copy {reply.in_words()}"]


def _actual(name: str, result: Mapping[str, Any]) -> Any:
    if name in _BALANCE:
        return (result.get("balance") or {}).get(name)
    if name == "converted":
        return (result.get("fx") or {}).get("converted_amount")
    if name == "limit_left":
        return (result.get("limit") or {}).get("left")
    return result.get(name)
