"""How busy a node is, between two of its heartbeats."""

from __future__ import annotations

from streams.load import Load


def test_packets_and_processor_time_are_told_by_the_second() -> None:
    at, packets, seconds = 0.0, 100, 5.0
    load = Load(lambda: packets, lambda: at, lambda: seconds)
    load.measure()
    assert (load.packets_per_second, load.cpu_share) == (0, 0.0)
    at, packets, seconds = 2.0, 1100, 5.5
    load.measure()
    assert (load.packets_per_second, load.cpu_share) == (500, 0.25)
    at = 3.0
    load.measure()
    assert (load.packets_per_second, load.cpu_share) == (0, 0.0)
