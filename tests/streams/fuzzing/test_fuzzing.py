"""Whatever bytes come, nothing is left unhandled, and none costs much more than its size is worth.

A short form of `tests/soak/test_fuzzing.py`; what that finds is kept in `found.txt` and tried here each time.
"""

from __future__ import annotations

import logging
import random
from pathlib import Path

import pytest

from tests.support.fuzz_targets import TARGETS
from tests.support.fuzzing import Target, run, steps

INPUTS = 2000
LEAST_INPUTS = 60
MOST_STEPS = 60_000
"""Lines of Python for one datagram or message; a millisecond or a few on any machine."""
MOST_STEPS_OF_A_DESCRIPTION = 200_000
"""For 65 000 bytes; each is paid for by a token with a limited rate."""
FOUND = Path(__file__).with_name("found.txt")


@pytest.mark.parametrize("kind", TARGETS, ids=lambda kind: kind.name)
async def test_damaged_inputs_are_handled_within_bounds(kind: type[Target], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    target = kind(random.Random(20_26))
    try:
        findings = await run(target, max(LEAST_INPUTS, INPUTS * TARGETS[kind] // 100), steps)
    finally:
        target.close()
    assert findings.failures == []
    most = MOST_STEPS_OF_A_DESCRIPTION if kind.name in ("offers", "fragments") else MOST_STEPS
    assert findings.slowest < most, findings.slowest_input[:100].hex()


async def test_what_was_found_once_is_handled() -> None:
    kinds = {kind.name: kind for kind in TARGETS}
    for line in FOUND.read_text().splitlines():
        if line.startswith("#"):
            continue
        name, data = line.split()
        target = kinds[name](random.Random(1))
        try:
            assert steps(lambda target=target, data=data: target.take(bytes.fromhex(data))) < MOST_STEPS  # type: ignore[misc]
        finally:
            target.close()
