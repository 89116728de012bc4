"""Ten thousand seeded tamperings with a whole set of evidence: every one is detected, and the untouched set never is.

The reader knows what the court tells everybody: the id of its first key, and one anchor kept elsewhere. Whoever tampers
can write every file and has no private key.

What is excluded by definition, since nothing could cover it, and how a verification says so:

* bytes behind the last fragment that counts in a file that a crash left: no part of the recording, told as such;
* lines behind the last one that is signed or anchored: told as not proven (exit code 2); this set has none, so here
  every byte of every ledger counts;
* the address of the time-stamp authority in the very last line of the anchors: a remark; the token in it proves itself;
* names of times and attributes in a ZIP's own directory: they are no evidence.

A text put beside an entry's own in the file of texts changes nothing that is proven; it is told as proving nothing
(exit code 2). All others must give exit code 1.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from command_center.evidence.verifier import verify
from tests.support.tampering import KINDS, tamper, untouched

TAMPERINGS = int(os.environ.get("SOAK_TAMPERINGS", "10000"))
SEED = int(os.environ.get("SOAK_SEED", "2026"))
CONTROL_EVERY = 200
WEIGHTS = {"byte flipped in media": 6, "byte flipped in a ledger": 12, "line edited": 3, "rehashed without the key": 3}
"""The others have 1."""

pytestmark = pytest.mark.timeout(3600)


def test_ten_thousand_tamperings_are_detected(tmp_path: Path) -> None:
    world, evidence = untouched(tmp_path)
    kinds = list(KINDS)
    weights = [WEIGHTS.get(kind, 1) for kind in kinds]
    done: Counter[str] = Counter()
    undetected: list[str] = []
    started, chance = time.monotonic(), random.Random(SEED)
    for number in range(TAMPERINGS):
        kind = chance.choices(kinds, weights)[0]
        tamper(evidence, random.Random(f"{SEED} {number}"), kind)
        with evidence.applied():
            report = verify(world.data, trusted=[world.first_key], anchor=world.newest_anchor)
        done[kind] += 1
        if report.exit_code != (2 if kind == "text put in" else 1) or "stopped" in report.counts:
            undetected.append(f"{kind}: SOAK_SEED={SEED}, number {number}: {dict(report.counts)}")
        if number % CONTROL_EVERY == 0:
            control = verify(world.data, trusted=[world.first_key], anchor=world.newest_anchor)
            assert control.exit_code == 0, control.text("en")
    for kind in kinds:
        print(f"\n{done[kind]:6} {kind}", end="")
    print(f"\n{TAMPERINGS} tamperings in {time.monotonic() - started:.0f} s, {len(undetected)} undetected")
    assert undetected == []
