"""Token buckets."""

from __future__ import annotations

from streams.signalling.limits import TABLE_BOUND, Bucket, Buckets


def test_a_burst_passes_and_then_the_long_run_holds() -> None:
    bucket = Bucket(burst=3, per_second=2)
    assert [bucket.take(100.0) for _ in range(5)] == [True, True, True, False, False]
    assert [bucket.take(100.5) for _ in range(2)] == [True, False]
    assert sum(bucket.take(100.5 + step / 100) for step in range(1, 1001)) == 20


def test_a_clock_that_stands_still_or_goes_back_gives_nothing() -> None:
    bucket = Bucket(burst=1, per_second=1)
    assert bucket.take(10.0)
    assert not bucket.take(10.0)
    assert not bucket.take(9.0)


def test_each_key_has_its_own_and_the_table_is_bounded() -> None:
    buckets = Buckets(burst=1, per_second=0)
    assert buckets.take("a", 0.0)
    assert not buckets.take("a", 0.0)
    for number in range(TABLE_BOUND):
        assert buckets.take(number, 0.0)
    assert buckets.take("a", 0.0), "the one used least lately was forgotten"
