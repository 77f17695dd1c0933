#!/bin/sh
# Makes the virtual environment $1 with the first Python >= 3.11 found (or $PYTHON), unless it is there already.
set -eu
venv=$1
[ -x "$venv/bin/python" ] && exit 0
for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python}; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        echo "Making $venv with $("$candidate" --version 2>&1) ..."
        "$candidate" -m venv "$venv" && exit 0
        echo "make: $candidate cannot make a virtual environment; install its venv and pip parts and try again." >&2
        exit 1
    fi
done
echo "make: no Python >= 3.11 was found. Install one, or name it: make PYTHON=/path/to/python3 ..." >&2
exit 1
