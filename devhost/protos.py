"""Stand-ins for the protobuf messages the runtime wheel reads and builds; it only ever touches their attributes."""

from collections.abc import Mapping
from types import SimpleNamespace


class StatusResult(SimpleNamespace):
    """Outcome of a request to the runtime."""

    Failure = 0
    Success = 1


class BindingInfo(SimpleNamespace):
    """The constants are the SDK's binding directions."""

    undefined = 0
    out = 1
    inout = 2


# The `protos` object of worker_init_request: every name the runtime may call, with keyword arguments only.
PROTOS = SimpleNamespace(
    StatusResult=StatusResult,
    BindingInfo=BindingInfo,
    **dict.fromkeys(
        (
            "WorkerInitResponse",
            "WorkerMetadata",
            "FunctionMetadataResponse",
            "RpcFunctionMetadata",
            "FunctionLoadResponse",
            "InvocationResponse",
            "RpcException",
            "RpcRetryOptions",
            "ParameterBinding",
            "TypedData",
        ),
        SimpleNamespace,
    ),
)


class Data:
    """An input value: `kind` is the name of the attribute that holds it. It must not have a `TypedData` attribute."""

    def __init__(self, kind: str | None, value: object = None) -> None:
        self._kind = kind
        if kind is not None:
            setattr(self, kind, value)

    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802 - the protobuf name
        return self._kind


class Input:
    """A named input of an invocation."""

    def __init__(self, name: str, data: Data) -> None:
        self.name = name
        self.data = data

    def WhichOneof(self, _group: str) -> str:  # noqa: N802 - the protobuf name
        return "data"


def http_data(route_values: Mapping[str, str]) -> Data:
    """With HTTP streams only the route values travel here; the request itself goes through the coordinator."""
    empty = Data(None)
    return Data(
        "http",
        SimpleNamespace(method="", url="", headers={}, params=dict(route_values), query={}, body=empty),
    )
