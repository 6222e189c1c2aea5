"""Whether what was presented once is still good: for connections that stay open. Runs on the loop."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from semantik.auth.api_keys import REVOKED
from semantik.auth.principal import Principal
from semantik.core.models import now
from semantik.storage.mongo import Store

ENDED = "The session has ended; sign in again."
RENEWED = "The session's cookie was renewed; connect again."
DISABLED = "The user is disabled."


def is_good_generation(current: int, rotated_at: datetime | None, generation: int, grace_s: float) -> bool:
    """Whether a session's tokens of a generation are good: the current one, and for `grace_s` the one before."""
    if generation == current:
        return True
    grace = timedelta(seconds=grace_s)
    return generation == current - 1 and rotated_at is not None and now() - rotated_at < grace


async def invalid_credentials(
    store: Store, principals: Collection[Principal], grace_s: float
) -> dict[tuple[str, int | None], str]:
    """What is no longer valid of these principals' credentials: the reason by `Principal.credential`."""
    versions = await store.users.enabled_versions(list({p.user.id for p in principals}))
    keys = [p.credential_id for p in principals if p.by_key]
    ids = [p.credential_id for p in principals if not p.by_key]
    sessions = await store.sessions.unexpired(ids, now()) if ids else {}
    key_versions = await store.api_keys.versions(keys) if keys else {}
    reasons = {}
    for one in principals:
        user_versions, cookie = versions.get(one.user.id), one.cookie_generation
        session = sessions.get(one.credential_id)
        if user_versions is None:
            reasons[one.credential] = DISABLED
        elif one.by_key:
            if key_versions.get(one.credential_id, -1) < user_versions[1]:
                reasons[one.credential] = REVOKED
        elif session is None or one.user.credentials_version != user_versions[0]:
            reasons[one.credential] = ENDED
        elif not is_good_generation(*session, session[0] if cookie is None else cookie, grace_s):
            reasons[one.credential] = RENEWED
    return reasons
