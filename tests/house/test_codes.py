"""Names that two rooms keep apart, because neither may know the other, and that must be the same."""

from __future__ import annotations

from processor.domain import decision
from schemas.codes import CODES


def test_the_law_and_the_wire_have_the_same_codes() -> None:
    assert [code.name for code in decision.Code] == [code.value for code in decision.Code] == list(CODES)
