"""User accounts: their rules, and how an administrator changes them. Signing in is in `sessions.py`.

Runs on the loop.
"""

from __future__ import annotations

from semantik.auth.passwords import Passwords, check_password
from semantik.core.errors import Conflict, Forbidden, Invalid, NotFound
from semantik.core.models import User, new_id, now
from semantik.storage.mongo import Store
from semantik.storage.mongo.users import FIRST_USER_ID

_MAX_TEXT = 200


def normalized_username(username: str) -> str:
    """The user name as it is stored, without surrounding blanks; raises Invalid."""
    username = username.strip()
    if not username or len(username) > _MAX_TEXT or not username.isprintable():
        raise Invalid(f"The user name must have 1 to {_MAX_TEXT} printable characters.")
    return username


def check_email(email: str | None) -> None:
    """Raises Invalid; None, for no address, is allowed."""
    if email is not None and ("@" not in email or len(email) > _MAX_TEXT or not email.isprintable()):
        raise Invalid(f"The e-mail address must hold an @ and have {_MAX_TEXT} printable characters at most.")


class AccountService:
    """Each `login` is a user name or an e-mail address, in any case; NotFound when no user has it."""

    def __init__(self, store: Store, passwords: Passwords) -> None:
        self._store = store
        self._passwords = passwords

    async def add(
        self,
        username: str,
        password: str,
        email: str | None = None,
        *,
        admin: bool = False,
        first_only: bool = False,
    ) -> User:
        """Add a user; the first user is an administrator. Raises Invalid or Conflict, and Forbidden when `first_only`
        is set and there is a user already."""
        first = not await self._store.users.any()
        if first_only and not first:
            raise Forbidden("Registration is closed; ask the administrator for an account.")
        username = normalized_username(username)
        check_password(password)
        check_email(email)
        user = User(
            id=FIRST_USER_ID if first else new_id(),
            username=username,
            email=email,
            password_hash=await self._passwords.hash(password),
            is_admin=first or admin,
            disabled=False,
            created_at=now(),
        )
        try:
            await self._store.users.add(user)
        except Conflict as error:
            if not first or not await self._store.users.any():
                raise
            # Another user became the first in the meantime, so the name may still be free.
            if first_only:
                raise Forbidden(
                    "The administrator was registered a moment ago, so registration is closed; "
                    "ask the administrator for an account."
                ) from error
            return await self.add(username, password, email, admin=admin)
        return user

    async def all(self) -> list[User]:
        """All users, ordered by name, ignoring case."""
        return await self._store.users.all()

    async def reset_password(self, login: str, password: str) -> User:
        """Set a new password, and end all sessions of the user."""
        check_password(password)
        user = await self._find(login)
        changed = await self._change(user, {"password_hash": await self._passwords.hash(password)})
        await self._store.sessions.remove_of(user.id)
        return changed

    async def disable(self, login: str) -> User:
        """Refuse sign-ins, and end all sessions of the user. Raises Conflict for the last administrator."""
        user = await self._find(login)
        changed = await self._change_unless_last(user, "disabled", True, "disabled")
        await self._store.sessions.remove_of(user.id)
        return changed

    async def enable(self, login: str) -> User:
        return await self._change(await self._find(login), {"disabled": False})

    async def promote(self, login: str) -> User:
        return await self._change(await self._find(login), {"is_admin": True})

    async def demote(self, login: str) -> User:
        """Raises Conflict for the last administrator."""
        return await self._change_unless_last(await self._find(login), "is_admin", False, "demoted")

    async def _find(self, login: str) -> User:
        user = await self._store.users.by_login(login) if login.isprintable() else None
        if user is None:
            raise NotFound(f"There is no user {login!r}; `semantik-user list` shows them all.")
        return user

    async def _change(self, user: User, fields: dict[str, object]) -> User:
        changed = await self._store.users.update(user.id, fields)
        if changed is None:
            raise NotFound(f"There is no user {user.username!r} any more.")
        return changed

    async def _change_unless_last(self, user: User, field: str, value: bool, how: str) -> User:
        """Set a field that disables or demotes, unless the user is the last enabled administrator (Conflict)."""
        refusal = Conflict(
            f"{user.username} is the last enabled administrator, and cannot be {how}; "
            "promote or enable another first."
        )
        if await self._administrators() == {user.id}:
            raise refusal
        changed = await self._change(user, {field: value})
        # Two administrators who leave at the same time have each seen the other.
        if not await self._administrators():
            await self._change(user, {field: not value})
            raise refusal
        return changed

    async def _administrators(self) -> set[str]:
        return {user.id for user in await self._store.users.all() if user.is_admin and not user.disabled}
