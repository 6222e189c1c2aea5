"""The account of a person for whom an identity provider or a proxy vouches: found, linked or created.

Runs on the loop.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from semantik.auth.accounts import AccountService, check_email, normalized_username
from semantik.config.auth_settings import AuthSettings
from semantik.core.errors import Conflict, Forbidden, Invalid
from semantik.core.models import Identity, User, new_id, now
from semantik.storage.mongo import Store

log = logging.getLogger("semantik.auth")


@dataclass(frozen=True)
class ExternalIdentity:
    """Who it is: `subject` identifies a person of `issuer` for ever, all else may change.

    `username` may be empty, `email` is an address that was verified, `groups` are the issuer's names.
    """

    issuer: str
    subject: str
    username: str
    email: str | None = None
    groups: frozenset[str] = frozenset()


class ExternalAccounts:
    """`limits()` are the current settings."""

    def __init__(self, store: Store, accounts: AccountService, limits: Callable[[], AuthSettings]) -> None:
        self._store = store
        self._accounts = accounts
        self._limits = limits

    async def resolve(self, identity: ExternalIdentity) -> User:
        """The person's account, which is created if need be. Raises Forbidden or Conflict when there is to be none."""
        known = await self._store.identities.get(identity.issuer, identity.subject)
        user = None if known is None else await self._store.users.get(known.user_id)
        if user is None:
            user = await self._first_sign_in(identity, known)
        if user.disabled:
            raise Forbidden("Your account is disabled; ask the administrator.")
        return user

    async def _first_sign_in(self, identity: ExternalIdentity, known: Identity | None) -> User:
        if not await self._store.users.any():
            raise Conflict(
                "This server has no administrator yet: create the first user on its page, then sign in."
            )
        linked = await self._linked(identity)
        if linked is not None:
            await self._store.identities.put(_row(identity, linked.id))
            log.info("%s signs in through %s from now on", linked.username, identity.issuer)
            return linked
        if not self._limits().create_accounts:
            raise Forbidden("You have no account here; ask the administrator for one.")
        # The identity comes first: a crash before the account is there leaves what the next sign-in completes.
        if known is None:
            known = await self._remember(_row(identity, new_id()))
        return await self._create(identity, known.user_id)

    async def _linked(self, identity: ExternalIdentity) -> User | None:
        """The existing account that the settings let this person take."""
        how = self._limits().link_accounts
        if how == "email" and identity.email is not None:
            return await self._store.users.by_email(identity.email)
        if how == "username" and identity.username:
            return await self._store.users.by_name(identity.username)
        return None

    async def _remember(self, identity: Identity) -> Identity:
        """Add the identity; what another sign-in of the same person has added meanwhile wins."""
        try:
            await self._store.identities.add(identity)
        except Conflict:
            found = await self._store.identities.get(identity.issuer, identity.subject)
            if found is None:
                raise
            return found
        return identity

    async def _create(self, identity: ExternalIdentity, user_id: str) -> User:
        if not identity.username:
            raise Forbidden(
                "The provider does not say how you are called; the administrator must set auth.oidc.username_claim."
            )
        try:
            username = normalized_username(identity.username)
        except Invalid as error:
            raise Forbidden(f"The provider's name for you cannot be used here: {error}") from error
        user = User(
            id=user_id,
            username=username,
            email=await self._free_email(identity.email),
            password_hash="",
            is_admin=False,
            disabled=False,
            created_at=now(),
        )
        try:
            await self._store.users.add(user)
        except Conflict as error:
            made = await self._store.users.get(user_id)  # by another sign-in of the same person
            if made is not None:
                return made
            raise Conflict(
                f"There is another account named {username} here; the administrator must rename it, or let you take "
                "it with auth.link_accounts."
            ) from error
        log.info("%s has an account now, by a sign-in through %s", username, identity.issuer)
        return user

    async def _free_email(self, email: str | None) -> str | None:
        """The address, unless it cannot be used or another account has it."""
        try:
            check_email(email)
        except Invalid:
            return None
        return None if email is None or await self._store.users.by_login(email) else email


def _row(identity: ExternalIdentity, user_id: str) -> Identity:
    return Identity(identity.issuer, identity.subject, user_id, now())
