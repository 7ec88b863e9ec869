"""What the assistant can look up: each tool returns at most about twenty labelled facts, never a raw series."""
