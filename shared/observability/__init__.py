"""What the operator sees: logs that carry a request id and never a secret."""
