"""Starts and watches the processes of one machine."""

from command_center.launcher.machine import run
from command_center.launcher.preflight import SETTINGS_UNUSABLE

__all__ = ["SETTINGS_UNUSABLE", "run"]
