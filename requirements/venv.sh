#!/bin/sh
# Makes the virtual environment $1 with the quickest Python >= 3.11 found (or $PYTHON), unless it is there already.
# Quickest, because builds of one version differ by half: some are compiled without profiles (measured: 0.44 s and 0.67 s).
set -eu
venv=$1
[ -x "$venv/bin/python" ] && exit 0

# What one candidate needs for a small piece of work, in microseconds; nothing where it is too old or not there.
speed_of() {
    "$1" -c '
import sys, time
if sys.version_info < (3, 11):
    sys.exit(1)
def work():
    began = time.perf_counter()
    for number in range(300_000):
        str(number)
    return time.perf_counter() - began
print(round(min(work() for _ in range(3)) * 1e6))' 2>/dev/null || true
}

candidates=${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python /usr/bin/python3 /usr/local/bin/python3}
found=$(for candidate in $candidates; do
    speed=$(speed_of "$candidate")
    [ -z "$speed" ] || echo "$speed $candidate"
done | sort -n)
if [ -z "$found" ]; then
    echo "make: no Python >= 3.11 was found. Install one, or name it: make PYTHON=/path/to/python3 ..." >&2
    exit 1
fi
echo "$found" | while read -r _ candidate; do
    echo "Making $venv with $("$candidate" --version 2>&1) ..."
    # One without its venv and pip parts is passed over.
    if "$candidate" -m venv "$venv" >/dev/null 2>&1 && "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        exit 0
    fi
    rm -rf "$venv"
done
[ -x "$venv/bin/python" ] || {
    echo "make: none of these can make a virtual environment; install its venv and pip parts and try again:" >&2
    echo "$found" >&2
    exit 1
}
