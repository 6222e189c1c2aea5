"""Who did what; for administrators. Written by `make clients` from docs/openapi.yaml: do not change it by
hand.
"""

from __future__ import annotations

from semantik.client.portal import Portal
from semantik.client.types.audit import AuditEventList, AuditOutcome
from semantik.client.values import UNSET, Unset


class AuditSyncCalls(Portal):
    """Who did what; for administrators."""

    def list_audit_events(
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
        """The audit trail, the newest event first."""
        return self.run(
            lambda client: client.list_audit_events(
                user=user,
                action=action,
                outcome=outcome,
                address=address,
                request_id=request_id,
                target=target,
                since=since,
                until=until,
                cursor=cursor,
                limit=limit,
            )
        )
