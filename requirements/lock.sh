#!/bin/sh
# Writes the locks from pyproject.toml: exact versions with hashes, for every system, with no index address in them.
#   all.txt      what a developer, `make demo` and `make test` install
#   runtime.txt  what a worker in production installs (the Dockerfile's)
# Run by `make lock`; what is locked stays as it is unless pyproject.toml asks for more (UPGRADE=--upgrade renews all).
set -eu
compile() {
    out=$1
    shift
    "${UV:-uv}" pip compile pyproject.toml "$@" --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" \
        ${UPGRADE:-} --output-file "$out"
}
compile requirements/all.txt --all-extras
compile requirements/runtime.txt --extra access --constraint requirements/all.txt
