"""What administrators do with the accounts of others. A user's own account is in `semantik/auth/`. Runs on the loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from semantik.auth.accounts import AccountService, check_email
from semantik.auth.authorization import Authorizer
from semantik.auth.folder_access import check_roots
from semantik.auth.groups import GroupService
from semantik.auth.principal import Principal
from semantik.core.errors import Conflict, NotFound
from semantik.core.models import Collection, User
from semantik.core.pagination import Page, decode_cursor, encode_cursor, page_of
from semantik.storage.mongo import Store

_DEED = "manage the accounts of users"
_NAMED = 5  # in a sentence


@dataclass(frozen=True)
class UserChange:
    """What to change; None leaves it as it is, and an `email` of "" removes the address.

    `roots` are the only folders below which the user may have files indexed; empty: those of the server.
    """

    email: str | None = None
    is_admin: bool | None = None
    disabled: bool | None = None
    password: str | None = None
    roots: list[str] | None = None
    reset_second_factor: bool = False

    @property
    def takes_sign_in(self) -> bool:
        """Whether no API key may do this, as it would give its holder more than the key does."""
        return self.is_admin is not None or self.password is not None or self.reset_second_factor


class UserService:
    """`forget(user_id)` drops what is cached of a user's credentials.

    Each method with a principal raises Forbidden unless that is an administrator, and NotFound for the user.
    """

    def __init__(
        self,
        store: Store,
        authorizer: Authorizer,
        accounts: AccountService,
        groups: GroupService,
        forget: Callable[[str], None],
    ) -> None:
        self._store = store
        self._authorizer = authorizer
        self._accounts = accounts
        self._groups = groups
        self._forget = forget

    async def all(self, principal: Principal, cursor: str | None, limit: int) -> Page[User]:
        """All users, by name."""
        principal.require_administrator(_DEED)
        after = decode_cursor(cursor, 1)[0] if cursor else ""
        found = [user for user in await self._store.users.all() if user.username.lower() > after]
        last = found[min(limit, len(found)) - 1].username.lower() if found else ""
        return page_of(found[: limit + 1], limit, encode_cursor(last))

    async def get(self, principal: Principal, user_id: str) -> User:
        principal.require_administrator(_DEED)
        user = await self._store.users.get(user_id)
        if user is None:
            raise NotFound(f"There is no user {user_id}.")
        return user

    async def names(self, user_ids: Iterable[str]) -> dict[str, str]:
        """The user names by id, for whoever may see the users anyway."""
        wanted = sorted(user_ids)
        return await self._store.users.names(wanted) if wanted else {}

    async def create(
        self, principal: Principal, username: str, password: str, email: str | None, is_admin: bool
    ) -> User:
        """Raises Invalid, or Conflict when the name or the address is taken."""
        principal.require_administrator(_DEED)
        if is_admin:
            principal.require_scope("account")
        return await self._accounts.add(username, password, email, admin=is_admin)

    async def change(self, principal: Principal, user_id: str, change: UserChange) -> User:
        """Raises Invalid, and Conflict for a taken address or the last administrator."""
        user = await self.get(principal, user_id)
        if change.takes_sign_in:
            principal.require_scope("account")
        if change.email is not None:
            check_email(change.email or None)
            await self._store.users.update(user.id, {"email": change.email or None})
        if change.is_admin is not None and change.is_admin != user.is_admin:
            await (self._accounts.promote if change.is_admin else self._accounts.demote)(user.username)
        if change.disabled is not None and change.disabled != user.disabled:
            await (self._accounts.disable if change.disabled else self._accounts.enable)(user.username)
        if change.roots is not None:
            check_roots(change.roots)
            await self._store.users.update(user.id, {"roots": change.roots})
        if change.password is not None:
            await self._accounts.reset_password(user.username, change.password)
        if change.reset_second_factor:
            await self._accounts.reset_second_factor(user.username)
        self._forget(user.id)
        return await self.get(principal, user_id)

    async def delete(self, principal: Principal, user_id: str, transfer_to: str | None) -> User:
        """Delete a user for good, and return who it was; the collections go to the user named `transfer_to`.

        Raises Conflict while the user owns collections and none is named, or when one of the same name is there
        already, and for oneself and the last administrator. May be repeated when it was interrupted.
        """
        user = await self.get(principal, user_id)
        if user.id == principal.user.id:
            raise Conflict("This is your own account; another administrator can delete it.")
        owned = await self._store.collections.of_owner(user.id)
        heir = await self._heir(user, transfer_to, owned)
        if not user.disabled:
            await self._accounts.disable(user.username)
        for collection in owned:
            if heir is not None:
                await self._store.shares.set_owner(collection, heir.id)
        if await self._store.collections.of_owner(user.id):
            raise Conflict(
                f"{user.username} has created another collection meanwhile; delete the user again."
            )
        await self._groups.remove_user(user.id)
        for collection_id in await self._store.shares.shared_with("user", user.id):
            await self._store.shares.remove(collection_id, "user", user.id)
        await self._store.second_factors.remove(user.id)
        await self._store.api_keys.remove_of(user.id)
        await self._store.sessions.remove_of(user.id)
        await self._store.identities.remove_of(user.id)
        for table in (
            self._store.saved_searches,
            self._store.webhooks,
            self._store.deliveries,
            self._store.alerts,
        ):
            await table.remove_of(user.id)
        await self._store.users.remove(user.id)
        self._forget(user.id)
        self._authorizer.forget_shares()
        return user

    async def _heir(self, user: User, name: str | None, owned: list[Collection]) -> User | None:
        if name is None:
            if owned:
                raise Conflict(
                    f"{user.username} owns {len(owned)} collections, such as {_named(owned)}: name in transfer_to the "
                    "user who gets them, or delete them first."
                )
            return None
        heir = await self._store.users.by_name(name)
        if heir is None:
            raise NotFound(f"There is no user named {name!r}.")
        if heir.id == user.id or heir.disabled:
            raise Conflict(f"{name} cannot be given the collections: name another user, who is not disabled.")
        taken = {each.name.lower() for each in await self._store.collections.of_owner(heir.id)}
        if twice := [each for each in owned if each.name.lower() in taken]:
            raise Conflict(f"{name} has collections of the same names already: rename {_named(twice)} first.")
        return heir


def _named(collections: list[Collection]) -> str:
    names = ", ".join(repr(each.name) for each in collections[:_NAMED])
    return names + (" and others" if len(collections) > _NAMED else "")
