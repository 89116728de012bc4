"""What a viewer asks for by HTTP, as bytes arrive."""

from __future__ import annotations

import json
from http import HTTPStatus

from pydantic import ValidationError

from streams.signalling.errors import WishRefused
from streams.viewer_protocol import Want


def read_wish(body: bytes) -> Want:
    """Read `{"layer": "low" | "middle" | "high", "spotlight": true | false}`; the spotlight may be left out.

    Raises:
        WishRefused: it is no such object, or there is no such layer.
    """
    try:
        wish = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise WishRefused("json-invalid", HTTPStatus.BAD_REQUEST) from error
    try:
        return Want.model_validate(wish)
    except ValidationError as error:
        is_layer = not isinstance(wish, dict) or any(fault["loc"][:1] == ("layer",) for fault in error.errors())
        raise WishRefused("layer-unknown" if is_layer else "wish-invalid") from error
