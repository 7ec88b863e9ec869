"""Limits that keep a slow or failing dependency from becoming our outage."""
