"""What every service can say about its own health."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

CheckState = Literal["ok", "down", "off"]


@dataclass(frozen=True, slots=True)
class DependencyHealth:
    """``off`` means not configured. ``detail`` is for operators: codes and numbers, no upstream texts."""

    state: CheckState
    detail: Mapping[str, Any]


class BaseService(ABC):
    """A use case with dependencies that may fail."""

    @abstractmethod
    async def health_check(self) -> tuple[bool, dict[str, Any]]:
        """Whether the service can do its work, and a report by dependency. Never raises, never spends paid quota."""

    @staticmethod
    def _dependencies_health_report(
        required: Mapping[str, DependencyHealth], optional: Mapping[str, DependencyHealth]
    ) -> tuple[bool, dict[str, Any]]:
        """Healthy while no required dependency is down; an optional one that is down only degrades."""
        report = {
            name: {"state": health.state, "required": name in required, **health.detail}
            for name, health in {**required, **optional}.items()
        }
        return all(health.state != "down" for health in required.values()), report
