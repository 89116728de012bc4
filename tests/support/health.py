"""Whether a process that a test has started answers yet."""

from __future__ import annotations

import httpx


async def is_healthy(url: str) -> bool:
    """Whether it says at /healthz that all is well."""
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        try:
            return (await client.get("/healthz")).is_success
        except httpx.TransportError:
            return False
