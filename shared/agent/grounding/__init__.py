"""Checks that every number of an answer is one that a tool returned, before it leaves."""
