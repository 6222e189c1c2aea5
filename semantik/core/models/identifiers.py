"""Identifiers of new records. Pure."""

from __future__ import annotations

import uuid


def new_id() -> str:
    """A new identifier: a random UUID as text."""
    return str(uuid.uuid4())
