"""A local Azure Functions host, so that a Python v2 function app runs where Core Tools are not installed."""
