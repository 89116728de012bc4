"""The ids of what more than one module of the screens, or a script, touches."""

from __future__ import annotations

NOTICES = "notices"
"""`dmc.NotificationContainer`: short messages in the corner."""
OPERATION = "operation-id"
"""`dcc.Store`: the id of the operation on the screen, or None; the live script sets it."""
CASE = "case-id"
"""`dcc.Store`: the id of the case that this operation enforces, or None."""
ASSETS_VERSION = "assets-version"
"""`dcc.Store`: a number that the live script raises whenever requests or measures of the case moved."""

CENTRE = "centre"
WALL = "wall"
TALK = "talk"
"""The key to talk to officers, and who talks."""
MAP = "map"
INSTRUCTIONS = "instructions"
ASSETS_PANEL = "assets-panel"
"""The panel of the case's assets, its figures and its chart."""
CONNECTION = "connection"
