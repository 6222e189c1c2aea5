"""User accounts: their rules, and how an administrator changes them. Signing in is in `sessions.py`.

Runs on the loop.
"""

from __future__ import annotations

from collections.abc import Mapping

from semantik.auth.passwords import Passwords
from semantik.core.errors import Conflict, Forbidden, Invalid, NotFound
from semantik.core.models import Session, User, new_id, now
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
        check_email(email)
        await self._passwords.check(password, username, email)
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
        """Set a new password, and end all sessions and API keys of the user."""
        user = await self.find(login)
        await self._passwords.check(password, user.username, user.email)
        return await self._end_credentials(user, {"password_hash": await self._passwords.hash(password)})

    async def change_password(
        self, user_id: str, current: str, new: str, keep_api_keys: bool = False
    ) -> User:
        """Set a user's own password, and end all sessions, and all API keys unless they are to be kept.

        Raises Forbidden when `current` is wrong, Invalid when `new` is not allowed, Conflict when the password has
        just been changed by somebody else.
        """
        await self._passwords.check(new)
        user = await self.confirm_password(user_id, current)
        if new == current:
            raise Invalid("The new password is the current one; choose another.")
        fields = {"password_hash": await self._passwords.hash(new)}
        return await self._end_credentials(user, fields, keep_api_keys)

    async def confirm_password(self, user_id: str, password: str) -> User:
        """The user, who has sent the password once more. Raises Forbidden when it is wrong."""
        user = await self._store.users.get(user_id)
        if user is None or not await self._passwords.verify(user.password_hash, password):
            raise Forbidden("The current password is wrong.")
        return user

    async def end_access(self, login: str) -> User:
        """End all sessions and API keys of the user."""
        return await self._end_credentials(await self.find(login), {})

    async def sessions_of(self, login: str) -> list[Session]:
        """The sessions of the user that are good, the newest first."""
        user, moment = await self.find(login), now()
        found = await self._store.sessions.of_user(user.id)
        version = user.credentials_version
        return [one for one in found if one.expires_at > moment and one.credentials_version == version]

    async def reset_second_factor(self, login: str) -> User:
        """Remove the second factor of a user who has lost it. Raises NotFound when there is none."""
        user = await self.find(login)
        if not await self._store.second_factors.remove(user.id):
            raise NotFound(f"{user.username} has no second factor.")
        return user

    async def disable(self, login: str) -> User:
        """Refuse sign-ins, and end all sessions of the user. Raises Conflict for the last administrator.

        API keys are refused while the user is disabled.
        """
        user = await self.find(login)
        changed = await self._change_unless_last(user, "disabled", True, "disabled")
        await self._store.sessions.remove_of(user.id)
        return changed

    async def enable(self, login: str) -> User:
        return await self._change(await self.find(login), {"disabled": False})

    async def promote(self, login: str) -> User:
        return await self._change(await self.find(login), {"is_admin": True})

    async def demote(self, login: str) -> User:
        """Raises Conflict for the last administrator."""
        return await self._change_unless_last(await self.find(login), "is_admin", False, "demoted")

    async def find(self, login: str) -> User:
        """Raises NotFound."""
        user = await self._store.users.by_login(login) if login.isprintable() else None
        if user is None:
            raise NotFound(f"There is no user {login!r}; `semantik-user list` shows them all.")
        return user

    async def _end_credentials(
        self, user: User, fields: Mapping[str, object], keep_api_keys: bool = False
    ) -> User:
        """Set fields, and end the sessions and API keys in the same write; their records are then removed."""
        changed = await self._store.users.end_credentials(user, fields, keep_api_keys)
        if changed is None:
            raise Conflict(f"{user.username} was changed by somebody else at the same time; try again.")
        if not keep_api_keys:
            await self._store.api_keys.remove_of(user.id)
        await self._store.sessions.remove_of(user.id)
        return changed

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
