"""Who did what; for administrators. Written by `make clients` from docs/openapi.yaml: do not change it by
hand.
"""

from __future__ import annotations

from semantik.client.transport import Transport
from semantik.client.types.audit import AuditEventList, AuditOutcome
from semantik.client.values import UNSET, Unset


class AuditCalls(Transport):
    """Who did what; for administrators."""

    async def list_audit_events(
        self,
        *,
        user: str | Unset = UNSET,
        action: str | Unset = UNSET,
        outcome: AuditOutcome | Unset = UNSET,
        address: str | Unset = UNSET,
        request_id: str | Unset = UNSET,
        target: str | Unset = UNSET,
        since: str | Unset = UNSET,
        until: str | Unset = UNSET,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> AuditEventList:
        """The audit trail, the newest event first.

        user: The name, e-mail address or id of the user who acted.
        action: One action, or the noun of several (`collection` for `collection.delete` and others).
        outcome: refused: with a status of 400 to 499; failed: of 500 or more.
        target: What was acted upon, exactly.
        cursor: `next_cursor` of the page before.
        limit: How many items.

        Raises Refused (401, 403, 421, 422, 429, 503) and Unavailable.
        """
        answer: AuditEventList = await self.read_json(
            "GET",
            "audit",
            query={
                "user": user,
                "action": action,
                "outcome": outcome,
                "address": address,
                "request_id": request_id,
                "target": target,
                "since": since,
                "until": until,
                "cursor": cursor,
                "limit": limit,
            },
        )
        return answer
