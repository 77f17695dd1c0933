"""Free TCP ports for servers that must be told their port before they start.

They are taken from below the range from which Linux and macOS give ports to outgoing connections, so that a
broker which is killed and started again finds its own port free.
"""

from __future__ import annotations

import random
import socket

_RANGE = range(15_000, 32_000)
_TRIES = 500


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback address now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """Different ports of the loopback address that nobody listens on at this moment.

    Raises OSError if the machine has none left.
    """
    found: set[int] = set()
    for _ in range(_TRIES):
        if len(found) == count:
            return sorted(found)
        port = random.SystemRandom().choice(_RANGE)
        if is_free(port):
            found.add(port)
    raise OSError(f"No {count} free ports on 127.0.0.1 between {_RANGE.start} and {_RANGE.stop}.")
