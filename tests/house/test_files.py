"""What no file of the project may hold, and which files must be there."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import packages_distributions

from tests.house.sources import PACKAGES, ROOT, imported_modules, named, project_files, python_files, text_of

# Put together from pieces, so that this file does not hold what it looks for.
_DOT = r"\."
_REGISTRIES = [
    _DOT.join(parts)
    for parts in (
        ("py" + "pi", "org"),
        ("python" + "hosted", "org"),
        ("repo1?", "maven"),
        ("ma" + "ven", "org"),
        ("registry", "npm" + "js"),
        ("cra" + "tes", "io/api"),
        ("proxy", "go" + "lang"),
        ("deb", "deb" + "ian"),
    )
]
_MACHINE_FOLDERS = ("wo" + "rk", "fa" + "rm", "ro" + "ot", "ho" + "me/[a-z]", "Us" + "ers/[a-z]")
_FORBIDDEN = re.compile(
    "|".join([*_REGISTRIES, rf"(^|[^A-Za-z0-9_.])/({'|'.join(_MACHINE_FOLDERS)})/"]), re.IGNORECASE
)

# Optional parts that are imported only where they are used, and what is used without an import.
_NOT_IMPORTED = {"uvloop", "tzdata"}
# Ourselves, and what pydantic and the embedded stack's packages bring along as a part of themselves.
_OUR_OWN = {"croupier", "pydantic-core"}


def test_no_file_names_a_registry_or_a_path_of_a_machine() -> None:
    found = [
        f"{named(path)}:{number}: {line.strip()[:80]}"
        for path in project_files()
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if _FORBIDDEN.search(line)
    ]

    assert not found


def test_the_detector_sees_hosts_and_paths() -> None:
    hosts = ["https://" + "py" + "pi.org/simple", "files.python" + "hosted.org", "see /" + "wo" + "rk/main"]

    assert all(_FORBIDDEN.search(host) for host in hosts)
    assert not _FORBIDDEN.search("docs.python.org, a network/work/flow, var/root")


def test_every_domain_word_has_its_place_in_the_glossary() -> None:
    glossary = text_of(ROOT / "docs" / "glossary.md")
    words = (
        "lane",
        "batch",
        "event",
        "result",
        "dead letter",
        "parked",
        "outcome",
        "entry",
        "pool",
        "receipt",
        "journal",
    )

    assert [word for word in words if word not in glossary.lower()] == []


def test_whoever_arrives_finds_a_readme() -> None:
    readme = text_of(ROOT / "README.md")

    assert "make demo" in readme
    assert "make test" in readme


def test_the_locks_have_a_hash_for_every_package_and_no_address() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        packages = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", text_of(lock), flags=re.MULTILINE).strip())
        assert packages
        assert all("==" in package and "--hash=sha256:" in package for package in packages), lock.name
        assert "://" not in text_of(lock), lock.name


def test_every_dependency_that_is_named_is_locked() -> None:
    locked = {
        _normal(name)
        for name in re.findall(r"^([\w.\-]+)==", text_of(ROOT / "requirements/all.txt"), re.MULTILINE)
    }

    assert _declared("dependencies", *_extras()) <= locked


def test_every_dependency_is_named_with_its_reason() -> None:
    lines = text_of(ROOT / "pyproject.toml").split("[project]")[1].split("[project.scripts]")[0].splitlines()
    bare = [line.strip() for line in lines if re.match(r'\s{4}"', line) and "#" not in line]

    assert not bare


def test_what_is_imported_is_a_dependency() -> None:
    distributions = packages_distributions()
    imported = {module.split(".")[0] for path in python_files(*PACKAGES) for module in imported_modules(path)}
    used = {_normal(name) for module in imported for name in distributions.get(module, ())} - _OUR_OWN

    assert used <= _declared("dependencies", "embedded", "containers")


def test_what_is_a_dependency_is_imported() -> None:
    distributions = packages_distributions()
    imported = {module.split(".")[0] for path in python_files(*PACKAGES) for module in imported_modules(path)}
    used = {_normal(name) for module in imported for name in distributions.get(module, ())}

    assert _declared("dependencies") - used <= _NOT_IMPORTED


def _extras() -> list[str]:
    return list(tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]["optional-dependencies"])


def _declared(*groups: str) -> set[str]:
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]
    tables = {"dependencies": project["dependencies"], **project["optional-dependencies"]}
    return {_normal(re.split(r"[<>=;\[ ]", line)[0]) for group in groups for line in tables[group]}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
