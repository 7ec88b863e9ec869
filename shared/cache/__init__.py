"""Answers that are kept for a while, and fetched once however many ask."""
