#!/bin/sh
# Writes the locks: exact versions with hashes, for every system, with no index address in them.
#   all.txt      what a developer, `make demo` and `make test` install
#   runtime.txt  what a worker in production installs (the Dockerfile's)
#   build.txt    what builds the wheel (the Dockerfile's)
# Run by `make lock`; what is locked stays as it is unless pyproject.toml asks for more (UPGRADE=--upgrade renews all).
set -eu
compile() {
    out=$1
    shift
    "${UV:-uv}" pip compile "$@" --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" \
        ${UPGRADE:-} --output-file "$out"
}
compile requirements/all.txt pyproject.toml --all-extras
compile requirements/runtime.txt pyproject.toml --constraint requirements/all.txt
compile requirements/build.txt requirements/build.in --constraint requirements/all.txt
