"""The private parts of the runtime wheel that devhost depends on; a failure here means: read the new wheel first."""

import inspect
from importlib.metadata import version

import azure_functions_runtime
from azure_functions_runtime import handle_event, http_v2


def test_the_version_is_the_one_devhost_was_written_for() -> None:
    """Another version may have moved what devhost replaces."""
    assert version("azure-functions-runtime") == "1.3.0"


def test_public_names() -> None:
    """The wheel exports exactly the requests that a worker process calls."""
    assert set(azure_functions_runtime.__all__) == {
        "worker_init_request",
        "functions_metadata_request",
        "function_environment_reload_request",
        "invocation_request",
        "function_load_request",
        "start_threadpool_executor",
        "stop_threadpool_executor",
        "get_threadpool_executor",
        "invocation_id_cv",
    }


def test_the_http_server_is_started_through_a_name_that_can_be_replaced() -> None:
    """worker_init_request looks `initialize_http_server` up in `handle_event`, where devhost puts its own."""
    assert callable(handle_event.initialize_http_server)
    assert "initialize_http_server(_host)" in inspect.getsource(handle_event.worker_init_request)


def test_the_function_registry_tells_async_from_sync() -> None:
    """The registry answers by function id with a record that has `is_async`."""
    assert handle_event._functions.get_function("unknown") is None
    assert (
        "is_async" in inspect.get_annotations(type(handle_event._functions).get_function)["return"].__args__[0]._fields
    )


async def test_the_coordinator_keeps_an_entry_until_it_is_removed() -> None:
    """Entries have a response event, and stay after the response was taken."""
    coordinator = http_v2.http_coordinator
    coordinator.set_http_request("guard", object())
    reference = coordinator._context_references["guard"]
    assert not reference.http_response_available_event.is_set()
    coordinator.set_http_response("guard", "answer")
    assert reference.http_response_available_event.is_set()
    assert await coordinator.await_http_response_async("guard") == "answer"
    assert coordinator._context_references.pop("guard") is reference
