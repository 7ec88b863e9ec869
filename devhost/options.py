"""What the command line chose, typed, so that no other module knows argparse."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """`port` None means the one in local.settings.json."""

    app_dir: Path
    data_dir: Path
    host: str
    port: int | None
    enable_auth: bool
    verbose: bool
    drain_seconds: int
    max_import_seconds: float
