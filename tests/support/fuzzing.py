"""Seeded damage to valid inputs, and what one input costs: processor time, or lines of Python."""

from __future__ import annotations

import asyncio
import random
import struct
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

_NUMBERS = (0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 191, 192, 200, 254, 255)
_WIDE_NUMBERS = (0, 1, 2, 3, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF)
_TEXTS = (
    "",
    " ",
    "\r",
    "\x00",
    "a=",
    "m=",
    ":",
    ";",
    "/",
    "=",
    "*",
    "~",
    "-1",
    "0",
    "65536",
    "99999999999999999999",
    "é",
    "\u2028",
)


class Damage:
    """Damages inputs in the ways that parsers fear: lengths, counts, ends, repetitions, pieces of other inputs."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def of_bytes(self, data: bytes, others: Sequence[bytes] = (), longest: int = 2000) -> bytes:
        """One to four faults; now and then none at all, or nothing but noise."""
        chance = self.chance
        kind = chance.random()
        if kind < 0.05:
            return data
        if kind < 0.08:
            return chance.randbytes(chance.randrange(200))
        found = bytearray(data)
        for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 4))):
            self._damage(found, others)
        return bytes(found[:longest])

    def _damage(self, data: bytearray, others: Sequence[bytes]) -> None:
        chance = self.chance
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(9)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1 and at < len(data):
            data[at] = chance.choice(_NUMBERS)
        elif kind == 2 and at + 2 <= len(data):
            struct.pack_into("!H", data, at, chance.choice(_WIDE_NUMBERS))
        elif kind == 3 and at + 4 <= len(data):
            struct.pack_into("!I", data, at, chance.choice((0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)))
        elif kind == 4:
            del data[at:]
        elif kind == 5:
            end = min(len(data), at + chance.randrange(1, 32))
            data[at:at] = data[at:end] * chance.choice((1, 2, 8, 60))
        elif kind == 6:
            del data[at : at + chance.randrange(1, 8)]
        elif kind == 7 and others:
            other = chance.choice(others)
            data[at:] = other[chance.randrange(len(other) + 1) :]
        else:
            data[at:at] = chance.randbytes(chance.randrange(1, 9))

    def of_lines(self, text: str, others: Sequence[str] = ()) -> str:
        """A description with lines lost, doubled, moved, taken from another one, or damaged within."""
        chance = self.chance
        lines = text.split("\r\n")
        for _ in range(chance.choice((0, 1, 1, 2, 3, 5))):
            at = chance.randrange(len(lines))
            kind = chance.randrange(7)
            if kind == 0:
                del lines[at]
                lines = lines or [""]
            elif kind == 1:
                lines[at:at] = [lines[at]] * chance.choice((1, 2, 40, 2000))
            elif kind == 2:
                lines.insert(chance.randrange(len(lines) + 1), lines.pop(at))
            elif kind == 3 and others:
                lines.insert(at, chance.choice(chance.choice(others).split("\r\n")))
            elif kind == 4:
                place = chance.randrange(len(lines[at]) + 1)
                lines[at] = lines[at][:place] + chance.choice(_TEXTS) + lines[at][place:]
            elif kind == 5:
                parts = lines[at].split(" ")
                parts[chance.randrange(len(parts))] = chance.choice(_TEXTS) * chance.choice((1, 1, 300))
                lines[at] = " ".join(parts)
            else:
                lines[at] = lines[at][: chance.randrange(len(lines[at]) + 1)]
        return "\r\n".join(lines)


class Target:
    """One entry point: `make` gives its next input, `take` hands one over and raises whatever isn't handled."""

    name = ""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.damage = Damage(chance)

    def make(self) -> bytes:
        """The next input."""
        raise NotImplementedError

    def take(self, data: bytes) -> None:
        """Hand one input over."""
        raise NotImplementedError

    def check(self) -> None:
        """Whether all is still within its bounds; now and then."""

    def close(self) -> None:
        """Free what it holds."""


@dataclass
class Findings:
    """What a run of one target found."""

    name: str
    inputs: int = 0
    failures: list[tuple[str, bytes]] = field(default_factory=list)
    slowest: float = 0.0
    slowest_input: bytes = b""
    spent: float = 0.0

    def line(self, unit: str) -> str:
        """As one row."""
        each = self.spent / max(1, self.inputs)
        return (
            f"{self.name:<14} {self.inputs:8d} inputs  {len(self.failures):3d} failures  "
            f"{each:8.1f} {unit} each, {self.slowest:9.0f} {unit} the slowest ({len(self.slowest_input)} bytes)"
        )


CHECK_EVERY = 500
YIELD_EVERY = 8
"""Between so many inputs tasks may do what the inputs made them do."""


async def run(target: Target, count: int, cost: Callable[[Callable[[], None]], float]) -> Findings:
    """Hand `count` inputs over; `cost` runs one and tells what it cost."""
    findings = Findings(target.name)
    loop, data = asyncio.get_running_loop(), b""
    loop.set_exception_handler(lambda _, context: findings.failures.append((str(context), data)))
    for number in range(count):
        data = target.make()
        findings.inputs += 1
        if number % YIELD_EVERY == 0:
            await asyncio.sleep(0)
        try:
            spent = cost(lambda data=data: target.take(data))  # type: ignore[misc]
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
            findings.failures.append((f"{type(error).__name__}: {error}", data))
            if len(findings.failures) >= 20:
                break
            continue
        findings.spent += spent
        if spent > findings.slowest:
            findings.slowest, findings.slowest_input = spent, data
        if number % CHECK_EVERY == 0:
            target.check()
    target.check()
    await asyncio.sleep(0)
    loop.set_exception_handler(None)
    return findings


def microseconds(call: Callable[[], None]) -> float:
    """The processor time of this thread that a call takes."""
    started = time.thread_time_ns()
    call()
    return (time.thread_time_ns() - started) / 1000


def steps(call: Callable[[], None]) -> float:
    """How many lines of Python a call runs: the same on every machine, however busy."""
    counted = 0

    def count(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal counted
        counted += 1
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        call()
    finally:
        sys.settrace(before)
    return counted
