"""Users, their groups, their sessions and their API keys. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

ApiKeyScope = Literal[
    "read",  # search, and read collections, documents and operations
    "write",  # also create, change and delete them
    "admin",  # also what only an administrator may see; an administrator alone can grant it
]
API_KEY_SCOPES: tuple[ApiKeyScope, ...] = get_args(ApiKeyScope)  # each includes those before it


@dataclass(frozen=True)
class User:
    id: str
    username: str
    email: str | None
    password_hash: str
    is_admin: bool
    disabled: bool
    created_at: datetime
    roots: tuple[str, ...] = ()  # the only folders below which the user may index; empty: those of the server


@dataclass(frozen=True)
class Identity:
    """Whose account a user has: that of the person whom `issuer`, a provider or a proxy, calls `subject`."""

    issuer: str
    subject: str
    user_id: str
    created_at: datetime


@dataclass(frozen=True)
class Group:
    """Users, by their ids, who get together what is shared with the group; `roots` are folders that they may index."""

    id: str
    name: str
    members: frozenset[str]
    roots: tuple[str, ...]
    created_at: datetime


@dataclass(frozen=True)
class Session:
    """One sign-in. `token_hash` is the SHA-256 of its refresh token, `previous_hash` of the one before."""

    id: str
    user_id: str
    token_hash: str
    previous_hash: str | None
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class ApiKey:
    """A user's key for programs; `scopes` are the first one, two or three of `API_KEY_SCOPES`, in that order.

    `id` is 16 hexadecimal digits, `secret_hash` the SHA-256 of the secret. Without `expires_at` it never expires.
    """

    id: str
    user_id: str
    name: str
    secret_hash: str
    scopes: tuple[ApiKeyScope, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = None
