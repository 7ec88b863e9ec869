"""Adapters of market-data sources, one module per source, so that a source can fail or go without the rest noticing."""
