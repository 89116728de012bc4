"""A million damaged inputs, seeded: nothing unhandled, nothing that costs more than some milliseconds."""

from __future__ import annotations

import logging
import os
import random
import time

import pytest

from tests.support.fuzz_targets import TARGETS
from tests.support.fuzzing import Target, microseconds, run, steps

INPUTS = int(os.environ.get("SOAK_INPUTS", "1000000"))
SEED = int(os.environ.get("SOAK_SEED", "2026"))
MOST_MICROSECONDS = 50_000

pytestmark = pytest.mark.timeout(3600)


@pytest.mark.parametrize("kind", TARGETS, ids=lambda kind: kind.name)
async def test_a_million_damaged_inputs_are_handled_within_bounds(kind: type[Target]) -> None:
    logging.disable(logging.CRITICAL)
    target = kind(random.Random(SEED))
    started = time.monotonic()
    try:
        findings = await run(target, INPUTS * TARGETS[kind] // 100, microseconds)
        if findings.slowest > MOST_MICROSECONDS:
            # The collector may have come just then: the same input once more, counted.
            findings.slowest = steps(lambda: target.take(findings.slowest_input)) / 10
    finally:
        target.close()
        logging.disable(logging.NOTSET)
    print(f"\n{findings.line('us')}, {time.monotonic() - started:.0f} s")
    for error, data in findings.failures:
        print(f"{error}\n{kind.name} {data.hex()}")
    assert findings.failures == []
    assert findings.slowest < MOST_MICROSECONDS, f"{kind.name} {findings.slowest_input.hex()}"
