"""Jobs are kept running, and still end when they are told to."""

from __future__ import annotations

import asyncio

from streams.supervision import keep_running


async def test_a_job_whose_library_turns_a_cancellation_into_an_error_ends_all_the_same() -> None:
    begun = asyncio.Event()

    async def job() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise OSError("the connection was interrupted") from None

    running = asyncio.create_task(keep_running("job", job))
    await begun.wait()
    running.cancel()
    done, _ = await asyncio.wait([running], timeout=5)
    assert done
    assert running.cancelled()
