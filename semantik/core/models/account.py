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
    """An account.

    A session is good only while `credentials_version` is the one that it was made with; an API key, if it was made
    with `oldest_key_version` or a later one.
    """

    id: str
    username: str
    email: str | None
    password_hash: str
    is_admin: bool
    disabled: bool
    created_at: datetime
    credentials_version: int = 0
    oldest_key_version: int = 0
    roots: tuple[str, ...] = ()  # the only folders below which the user may index; empty: those of the server


@dataclass(frozen=True)
class SignInPlace:
    """Where somebody signs in from: the client's address, and what its program calls itself (User-Agent)."""

    address: str = ""
    client: str = ""


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
    """One sign-in: a family of refresh tokens, of which only number `generation` is good.

    A cookie carries the generation that it was made with. `rotated_at` is when the generation last changed.
    `token_hash` is the SHA-256 of the first refresh token of a session that an older build has begun.
    """

    id: str
    user_id: str
    created_at: datetime
    expires_at: datetime
    credentials_version: int = 0
    generation: int = 0
    rotated_at: datetime | None = None
    last_used_at: datetime | None = None
    place: SignInPlace = SignInPlace()
    token_hash: str | None = None


@dataclass(frozen=True)
class SigningKey:
    """A key that signs tokens, or did: tokens name it by its `id`."""

    id: str
    value: str
    created_at: datetime


@dataclass(frozen=True)
class SecondFactor:
    """A user's time-based one-time passwords (TOTP, RFC 6238), and the recovery codes for when they are lost.

    `id` is the user's. `sealed_secret` is encrypted, `recovery_hashes` are SHA-256 of the codes that are left.
    `last_step` is the latest 30-second step whose code was taken. It is not asked for before it is confirmed.
    """

    id: str
    sealed_secret: str
    created_at: datetime
    confirmed_at: datetime | None = None
    last_step: int = 0
    recovery_hashes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ApiKey:
    """A user's key for programs; `scopes` are the first one, two or three of `API_KEY_SCOPES`, in that order.

    `id` is 16 hexadecimal digits, `secret_hash` the SHA-256 of the secret. Without `expires_at` it never expires.
    `collections` are the ids of those that it is good for; None: all that its user may see.
    """

    id: str
    user_id: str
    name: str
    secret_hash: str
    scopes: tuple[ApiKeyScope, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = None
    collections: tuple[str, ...] | None = None
    credentials_version: int = 0
