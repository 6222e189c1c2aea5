"""Who may see a collection. Written by `make clients` from docs/openapi.yaml: do not change it by hand."""

from __future__ import annotations

from typing import Literal

from semantik.client.portal import Portal
from semantik.client.types.sharing import OwnedCollectionList, ShareLevel, Sharing
from semantik.client.values import UNSET, Unset


class SharingSyncCalls(Portal):
    """Who may see a collection."""

    def list_all_collections(
        self, *, cursor: str | Unset = UNSET, limit: int | Unset = UNSET
    ) -> OwnedCollectionList:
        """Every collection and its owner."""
        return self.run(lambda client: client.list_all_collections(cursor=cursor, limit=limit))

    def get_shares(self, collection_id: str) -> Sharing:
        """With whom a collection is shared."""
        return self.run(lambda client: client.get_shares(collection_id))

    def share(
        self, collection_id: str, level: ShareLevel, *, user: str | Unset = UNSET, group: str | Unset = UNSET
    ) -> Sharing:
        """Share a collection with a user or a group."""
        return self.run(lambda client: client.share(collection_id, level, user=user, group=group))

    def unshare(self, collection_id: str, kind: Literal["user", "group"], subject_id: str) -> None:
        """End a share."""
        return self.run(lambda client: client.unshare(collection_id, kind, subject_id))

    def give_collection(self, collection_id: str, user: str) -> Sharing:
        """Give a collection to another user."""
        return self.run(lambda client: client.give_collection(collection_id, user))
