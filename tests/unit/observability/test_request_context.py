"""The id of the request that is being served."""

import asyncio

from shared.observability.request_context import current_request_id, set_request_id


async def test_concurrent_requests_do_not_share_their_id():
    """Each task sees its own id; the one that made them sees none."""

    async def serve(request_id: str) -> str | None:
        set_request_id(request_id)
        await asyncio.sleep(0)
        return current_request_id()

    assert await asyncio.gather(*map(serve, ["a", "b", "c"])) == ["a", "b", "c"]
    assert current_request_id() is None


async def test_thread_of_a_request_sees_its_id():
    """Work that is moved off the loop keeps the id."""
    await asyncio.create_task(_check_in_thread())


async def _check_in_thread() -> None:
    set_request_id("request-7")
    assert await asyncio.to_thread(current_request_id) == "request-7"
