"""Market data: identity of instruments, quotes, histories, indicators, and where each number comes from."""
