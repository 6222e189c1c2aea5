"""The one-time code with which the first user, the administrator, is registered: whoever starts the server has it.

Without it, anybody who reaches a new server first would become its administrator. Runs on the loop.
"""

from __future__ import annotations

import hmac
import secrets
import string

from semantik.core.errors import Forbidden
from semantik.storage.mongo import Store

_GROUPS, _GROUP = 4, 5
_LETTERS = "".join(sorted({*string.ascii_uppercase, *string.digits} - set("0O1IL")))  # easy to tell apart


class SetupCode:
    """The code that `auth.setup_code` sets (`configured`), or a random one that all servers of a database share."""

    def __init__(self, store: Store, configured: str) -> None:
        self._store = store
        self._configured = configured

    async def current(self) -> str | None:
        """The code; None once there is a user, as nothing needs it then."""
        if await self._store.users.any():
            await self._store.remove_setup_code()
            return None
        return self._configured or await self._store.setup_code(_random_code())

    async def check(self, given: str) -> None:
        """Raises Forbidden when there is no user yet and `given` is not the code; case, blanks and hyphens are free."""
        code = await self.current()
        if code is not None and not hmac.compare_digest(_normalized(code), _normalized(given)):
            raise Forbidden(
                "The first user is the administrator, and needs the setup code that the server has printed at its "
                "start" + (": this is not it." if given else ".") + " `semantik-user create` needs none."
            )


def _random_code() -> str:
    """20 letters and digits, about 99 bits, in groups that a person can type."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def _normalized(code: str) -> bytes:
    return "".join(code.split()).replace("-", "").upper().encode()
