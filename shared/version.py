"""The version of the app, as health and configuration report it."""

VERSION = "0.1.0"
