"""The headers that every answer carries: what a page may load, and what others may do with it."""

from __future__ import annotations

from collections.abc import Sequence

PERMISSIONS_POLICY = (
    "camera=(self), microphone=(self), geolocation=(self), screen-wake-lock=(self), fullscreen=(self), "
    "autoplay=(self), payment=(), usb=(), serial=(), midi=()"
)


def content_policy(script_hashes: Sequence[str], nonce: str | None, media_origins: Sequence[str] = ()) -> str:
    """What a page may load: nothing from elsewhere but pictures of media nodes, and no script that isn't ours.

    Dash's own inline scripts are named by their hashes; folium writes new inline scripts into each page, so
    those are let in by a nonce of the request. Dash and Mantine write styles into the page, so styles may be inline.
    """
    scripts = ["'self'", *([f"'nonce-{nonce}'"] if nonce else script_hashes)]
    rules = {
        "default-src": "'self'",
        "script-src": " ".join(scripts),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "media-src": "'self' blob:",
        "connect-src": " ".join(["'self'", *media_origins]),
        "worker-src": "'self' blob:",
        "frame-src": "'self'",
        "frame-ancestors": "'self'",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def security_headers(policy: str) -> list[tuple[bytes, bytes]]:
    """The headers of one answer."""
    headers = {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "x-frame-options": "SAMEORIGIN",
        "referrer-policy": "same-origin",
        "permissions-policy": PERMISSIONS_POLICY,
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }
    return [(name.encode(), value.encode()) for name, value in headers.items()]
