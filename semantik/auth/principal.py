"""Who acts: an authenticated user, with what the credential and the user's groups allow. Pure.

`sessions.py` makes principals of credentials; `authorization.py` decides what they may do with a collection.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from semantik.auth.api_keys import EXPIRED
from semantik.core.errors import Forbidden
from semantik.core.models import ApiKeyScope, User

Scope = Literal[ApiKeyScope, "account"]

# A scope of sessions that no API key can have: API keys, passwords, signing out.
ACCOUNT: Final = "account"


@dataclass(frozen=True)
class Principal:
    """An authenticated user, by a session or an API key, until `expires_at` (None: no limit).

    `groups` are the ids of the user's groups when the credential was checked. `collections` are the only ones that the
    credential is good for; None: all that the user may see. `cookie_generation` is that of a browser's cookie.
    """

    user: User
    credential_id: str  # the session's or the key's
    expires_at: datetime | None
    scopes: tuple[Scope, ...]
    groups: frozenset[str] = frozenset()
    collections: frozenset[str] | None = None
    cookie_generation: int | None = None

    @property
    def credential(self) -> tuple[str, int | None]:
        """Identifies what was presented: a session's cookies of two generations are two credentials."""
        return self.credential_id, self.cookie_generation

    @property
    def by_key(self) -> bool:
        return ACCOUNT not in self.scopes

    @property
    def is_administrator(self) -> bool:
        """Whether the user is an administrator, and the credential may act as one."""
        return self.user.is_admin and "admin" in self.scopes

    @property
    def expiry_message(self) -> str:
        """The reason to give once `expires_at` has passed."""
        return EXPIRED if self.by_key else "The token has expired; connect again with a new one."

    def require_scope(self, scope: Scope) -> None:
        """Raises Forbidden without this scope, which only an API key can lack, and for `admin` without the role."""
        if scope in self.scopes:
            if scope == "admin":
                self.require_administrator("do this")
            return
        if scope == ACCOUNT:
            raise Forbidden("An API key cannot do this; sign in with the password instead.")
        raise Forbidden(
            f"This needs an API key with the scope {scope}; this one has {', '.join(self.scopes)}."
        )

    def require_administrator(self, deed: str) -> None:
        """Raises Forbidden, with `deed` in its sentence: what only an administrator may do."""
        if not self.is_administrator:
            raise Forbidden(f"Only an administrator may {deed}.")
