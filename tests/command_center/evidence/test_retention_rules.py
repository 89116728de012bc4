"""How long each class is kept, what stands in the way, and which settings are refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from command_center.config import Settings
from command_center.evidence.retention_rules import (
    NEXT_STATES,
    DeletionState,
    Periods,
    RetentionClass,
    Standing,
    obstacle,
    periods_of,
)

ENDED = datetime(2026, 3, 1, 1, tzinfo=UTC)
PERIODS = periods_of(Settings())


@pytest.mark.parametrize(
    ("retention_class", "days", "code"),
    [
        ("A", 183, "period-not-over"),
        ("A", 184, None),
        ("B", 1094, "period-not-over"),
        ("B", 1095, None),
        ("C", 100_000, "kept-for-ever"),
    ],
)
def test_each_class_is_kept_as_long_as_it_says(retention_class: str, days: int, code: str | None) -> None:
    standing = Standing(ENDED, RetentionClass(retention_class), is_held=False)
    assert obstacle(standing, PERIODS, ENDED + timedelta(days=days)) == code


def test_a_hold_a_running_export_and_growth_stand_in_the_way_of_any_class() -> None:
    long_after = ENDED + timedelta(days=10_000)
    for changes, code in (
        ({"is_held": True}, "legal-hold"),
        ({"is_exported": True}, "export-running"),
        ({"ended_at": None}, "recording-growing"),
    ):
        values = {"ended_at": ENDED, "retention_class": RetentionClass.A, "is_held": False, **changes}
        assert obstacle(Standing(**values), PERIODS, long_after) == code  # type: ignore[arg-type]


def test_six_months_are_the_least_and_nothing_is_for_ever() -> None:
    assert periods_of(Settings(retention_days_a=0, retention_days_c=184)) == Periods(0, 1095, 184)
    with pytest.raises(ValidationError, match="184 days"):
        Settings(retention_days_a=183)


def test_for_ever_is_longer_than_any_period() -> None:
    assert PERIODS.keeps_longer(RetentionClass.C, RetentionClass.B)
    assert PERIODS.keeps_longer(RetentionClass.B, RetentionClass.A)
    assert not PERIODS.keeps_longer(RetentionClass.A, RetentionClass.C)
    assert not PERIODS.keeps_longer(RetentionClass.C, RetentionClass.C)


def test_a_deletion_that_has_taken_effect_is_only_ended_or_stopped_before_its_tombstone_stands() -> None:
    assert NEXT_STATES[DeletionState.DELETING] == {DeletionState.DONE, DeletionState.REFUSED}
    assert NEXT_STATES[DeletionState.DUE] == {DeletionState.PROPOSED}
    assert DeletionState.DELETING not in NEXT_STATES[DeletionState.PROPOSED]
