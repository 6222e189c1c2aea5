"""Semantik: a private, self-hosted semantic search server."""

__version__ = "0.1.0"
