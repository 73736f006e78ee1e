"""The parts behind the routes are those of the running application."""

from __future__ import annotations

import asyncio

from gandl_analysis.app import AnalysisService

from tests.analysis.service.stack import Stack


def test_routes_see_the_same_parts_at_each_call(stack: Stack) -> None:
    service = AnalysisService(stack.settings, stack.queue, stack.models)

    async def read() -> None:
        async with service.running():
            first, second = service.services(), service.services()
            assert first is second
            assert first.submissions.status(stack.first) == stack.database.screens.status(stack.first)
            assert first.results.of(stack.first).screen == stack.first

    asyncio.run(read())
