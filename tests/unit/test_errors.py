"""What a command's end tells whoever runs it: the exit codes of the contract."""

from __future__ import annotations

import pytest

from processor.errors import (
    CommitUnknown,
    CroupierError,
    Doubt,
    LedgerUnavailable,
    OffsetsUnknown,
    Unreachable,
)


@pytest.mark.parametrize("fault", [Unreachable, LedgerUnavailable, CommitUnknown, OffsetsUnknown])
def test_a_connection_that_is_cut_on_the_way_is_no_bad_news_about_the_books(
    fault: type[CroupierError],
) -> None:
    assert fault.exit_code == 3


def test_our_own_doubt_is_bad_news() -> None:
    assert Doubt.exit_code == 1
