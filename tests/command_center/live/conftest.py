"""Each test of the sockets has a web process of its own: instructions are numbered from the first."""

from __future__ import annotations

import pytest

from tests.support.web import RunningWeb


@pytest.fixture
def web(own_web: RunningWeb) -> RunningWeb:
    """A web process with the demonstration in it."""
    return own_web
