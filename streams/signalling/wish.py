"""Which layer of the picture a viewer asks for, as bytes arrive."""

from __future__ import annotations

import json
from http import HTTPStatus

from streams.sfu.track import LAYERS, Layer
from streams.signalling.errors import WishRefused


def read_wish(body: bytes) -> Layer:
    """Read `{"layer": "low" | "middle" | "high"}`; further members are for later versions, and are ignored.

    Raises:
        WishRefused: it is no such object, or there is no such layer.
    """
    try:
        wish = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise WishRefused("json-invalid", HTTPStatus.BAD_REQUEST) from error
    wanted = wish.get("layer") if isinstance(wish, dict) else None
    for layer in LAYERS:
        if layer == wanted:
            return layer
    raise WishRefused("layer-unknown")
