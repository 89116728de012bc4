"""Starts and watches the processes of one machine."""

from command_center.launcher.machine import run

__all__ = ["run"]
