"""Triggers: one file per group of routes; each parses, makes one call of the service layer, and answers."""
