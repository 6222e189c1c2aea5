"""Principals of users that tests make without signing in."""

from __future__ import annotations

from semantik.auth.principal import ACCOUNT, Principal
from semantik.core.models import API_KEY_SCOPES, User, new_id, now


def principal(name: str, *, groups: frozenset[str] = frozenset()) -> Principal:
    """A new user, signed in; not stored."""
    user = User(new_id(), name, None, "hash", False, False, now())
    return Principal(user, new_id(), None, (*API_KEY_SCOPES, ACCOUNT), groups)
