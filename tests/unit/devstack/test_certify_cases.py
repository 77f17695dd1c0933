"""Cases as data: every form that a file may have."""

from __future__ import annotations

from pathlib import Path

import pytest

from processor.devstack.certify.cases import Case, GivenRate, Step, Together, load_cases
from processor.errors import WrongUsage

PROJECT_CASES = sorted((Path(__file__).parents[2] / "cases").glob("*.yaml"))


def load(tmp_path: Path, text: str) -> list[Case]:
    file = tmp_path / "cases.yaml"
    file.write_text(text)
    return load_cases([file])


def one(tmp_path: Path, text: str) -> Case:
    (case,) = load(tmp_path, text)
    return case


def test_a_step_names_its_type_first_and_keeps_its_fields_as_written(tmp_path: Path) -> None:
    case = one(tmp_path, '- {id: A, steps: [{bet: b1, amount: "1.00", expect: {code: OK}}]}')
    assert case.steps == [Step("bet", "b1", {"amount": "1.00"}, {"code": "OK"})]


def test_a_flat_given_means_player_p(tmp_path: Path) -> None:
    case = one(tmp_path, '- {id: A, given: {cash: "1.00"}, steps: [{bet: b}]}')
    assert case.given == {"p": {"cash": "1.00"}}


def test_a_given_by_player_names_each(tmp_path: Path) -> None:
    case = one(tmp_path, '- {id: A, given: {p: {cash: "1.00"}, q: {}}, steps: [{bet: b}]}')
    assert case.given == {"p": {"cash": "1.00"}, "q": {}}


def test_together_is_a_list_or_a_repetition(tmp_path: Path) -> None:
    text = "- {id: A, steps: [{together: [{bet: a}, {win: w}], expect: {cash: '1'}}]}"
    assert one(tmp_path, text).steps == [
        Together([Step("bet", "a", {}, {}), Step("win", "w", {}, {})], {"cash": "1"})
    ]
    text = "- {id: A, steps: [{together: {repeat: 3, step: {bet: a}, expect: {replayed_count: 2}}}]}"
    assert one(tmp_path, text).steps == [Together([Step("bet", "a", {}, {})] * 3, {"replayed_count": 2})]


def test_raw_bytes_come_with_their_own_headers_and_key(tmp_path: Path) -> None:
    text = "- {id: A, steps: [{raw: '{', key: q, headers: {x: y}, expect: {dead_letter: UNDECODABLE}}]}"
    assert one(tmp_path, text).steps == [
        Step(None, "", {}, {"dead_letter": "UNDECODABLE"}, "{", {"x": "y"}, "q")
    ]


def test_a_time_stays_the_text_that_was_written(tmp_path: Path) -> None:
    case = one(tmp_path, "- {id: A, steps: [{bet: b, deadline: 2020-01-01T00:00:00Z}]}")
    assert next(case.single_steps()).fields == {"deadline": "2020-01-01T00:00:00Z"}


def test_rates_are_of_now_where_no_age_is_said(tmp_path: Path) -> None:
    text = '- {id: A, rates: {JPY/EUR: "0.0061", SEK/EUR: {rate: "0.09", hours_old: 30}}, steps: [{bet: b}]}'
    assert one(tmp_path, text).rates == [
        GivenRate("JPY", "EUR", "0.0061"),
        GivenRate("SEK", "EUR", "0.09", 30.0),
    ]


def test_two_cases_cannot_give_one_pair_two_rates(tmp_path: Path) -> None:
    """All cases are played at the same time, on one installation."""
    text = "\n".join(
        f'- {{id: {name}, rates: {{JPY/EUR: "{rate}"}}, steps: [{{bet: b}}]}}'
        for name, rate in (("A", "0.0061"), ("B", "0.0061"), ("C", "0.0062"))
    )
    with pytest.raises(WrongUsage, match="case C: gives JPY/EUR another rate than case A does"):
        load(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{}", "list of cases"),
        ("- {id: A}", "list of steps"),
        ("- {id: A, given: {gold: 1}, steps: []}", "gold"),
        ("- {id: A, steps: [{expect: {code: OK}}]}", "names a type"),
        ("- [", "YAML"),
    ],
)
def test_a_file_not_in_form_is_refused_with_its_name(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(WrongUsage, match=told) as refusal:
        load(tmp_path, text)
    assert "cases.yaml" in str(refusal.value)


def test_the_projects_own_cases_are_in_form() -> None:
    cases = load_cases(PROJECT_CASES)
    assert len(cases) >= 57
    assert len({case.id for case in cases}) == len(cases)
