"""What a viewer asks for by HTTP, as bytes arrive."""

from __future__ import annotations

import json
from collections.abc import Mapping
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
    return _checked(wish)


def read_query(query: Mapping[str, str]) -> Want | None:
    """What a viewer's POST says that it wants from the first packet on, as `?layer=low&spotlight=true`; None without.

    Raises:
        WishRefused: there is no such layer, or the spotlight is neither true nor false.
    """
    if "layer" not in query:
        return None
    spotlight = query.get("spotlight", "false")
    return _checked({"layer": query["layer"], "spotlight": {"true": True, "false": False}.get(spotlight, spotlight)})


def _checked(wish: object) -> Want:
    try:
        return Want.model_validate(wish)
    except ValidationError as error:
        is_layer = not isinstance(wish, dict) or any(fault["loc"][:1] == ("layer",) for fault in error.errors())
        raise WishRefused("layer-unknown" if is_layer else "wish-invalid") from error
