"""Pauses that only pace a load, or model a slow network; no test waits for anything by them."""

import asyncio
from contextlib import suppress


async def pause(seconds: float) -> None:
    """Do nothing for so long."""
    nobody = asyncio.Event()  # nobody sets it
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await nobody.wait()
