"""A recorder's disk that is full, or that answers nothing for a while; nobody else's calls are touched."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

CALLS = ("write", "pwrite", "fdatasync")
THREAD = "recorder"


@contextmanager
def full_disk(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every write is refused while the body runs: there is no space."""

    def refuse(_call: Any) -> Any:
        def refused(*_arguments: Any) -> None:
            raise OSError(errno.ENOSPC, "no space left on device")

        return refused

    with patch.context() as calls:
        for name in ("write", "pwrite"):
            calls.setattr(os, name, _only_there(getattr(os, name), refuse(name)))
        yield


@contextmanager
def stalled_disk(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every call waits until the body is over."""
    released = threading.Event()

    def wait(call: Any) -> Any:
        def waiting(*arguments: Any) -> Any:
            released.wait(60)
            return call(*arguments)

        return waiting

    try:
        with patch.context() as calls:
            for name in CALLS:
                calls.setattr(os, name, _only_there(getattr(os, name), wait(getattr(os, name))))
            yield
    finally:
        released.set()


def _only_there(call: Any, instead: Any) -> Any:
    def chosen(*arguments: Any) -> Any:
        return (instead if threading.current_thread().name == THREAD else call)(*arguments)

    return chosen
