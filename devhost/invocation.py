"""Joins an HTTP request with the function that answers it, and notices when there will never be an answer."""

import asyncio
import logging
import uuid
from typing import Any

from starlette.responses import PlainTextResponse

from devhost import runtime
from devhost.functions import Function
from devhost.protos import Data, http_data

_log = logging.getLogger("devhost")


async def answer(function: Function, request: object, values: dict[str, str], invocation_id: str) -> Any:
    """What the handler returned; raises what it raised. A function that ends without a response gets a 500 here."""
    runtime.offer_request(invocation_id, request)
    call = asyncio.create_task(runtime.invoke(function, http_data(values), invocation_id))
    waiter = asyncio.create_task(runtime.await_response(invocation_id))
    try:
        await asyncio.wait({call, waiter}, return_when=asyncio.FIRST_COMPLETED)
        if not waiter.done() and not runtime.has_response(invocation_id):
            return _never_answered(function, call.result())
        response = await waiter
        await asyncio.wait({call})
    finally:
        # Only at shutdown is there anything left to cancel: a client that leaves does not cancel the handler.
        waiter.cancel()
        call.cancel()
        call.add_done_callback(lambda _: runtime.forget(invocation_id))
    if isinstance(response, Exception):
        raise response
    return response


def _never_answered(function: Function, outcome: runtime.Outcome) -> PlainTextResponse:
    _log.error(
        "function %r ended without a response (%s): this request would hang in Azure until functionTimeout. "
        "Catch asyncio.CancelledError in the handler and return a response.",
        function.name,
        outcome.error,
    )
    return PlainTextResponse("Internal Server Error", status_code=500)


async def run_timer(function: Function, payload: str) -> runtime.Outcome:
    return await runtime.invoke(function, Data("json", payload), str(uuid.uuid4()))


def handler_part(error: Exception) -> Exception:
    """The error with a traceback that begins in the app, without the forty frames of web framework and wheel."""
    frames, first = error.__traceback__, None
    while frames is not None:
        if frames.tb_frame.f_globals.get("__name__", "").startswith("azure_functions_runtime."):
            first = frames.tb_next
        frames = frames.tb_next
    return error.with_traceback(first or error.__traceback__)
