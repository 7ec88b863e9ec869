"""Configuration: files, environment and secret stores become one typed, frozen tree before anything else is built."""

from shared.config.loader import ConfigError, ConfigLoader
from shared.config.settings import Settings

__all__ = ["ConfigError", "ConfigLoader", "Settings"]
