"""Who looks at a list, and who replaces the list, wait for each other."""

import asyncio


class Pace:
    """Lets a rebuild begin when every looker has come back since the last one, and not before."""

    def __init__(self, lookers):
        self._lookers = lookers
        self._back = set()
        self._changed = asyncio.Condition()

    async def came_back(self, looker):
        async with self._changed:
            self._back.add(looker)
            self._changed.notify()

    async def wait_for_all(self):
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._back) == self._lookers)
            self._back.clear()
