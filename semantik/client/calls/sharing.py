"""Who may see a collection. Written by `make clients` from docs/openapi.yaml: do not change it by hand."""

from __future__ import annotations

from typing import Literal

from semantik.client.transport import Transport
from semantik.client.types.sharing import OwnedCollectionList, ShareLevel, Sharing
from semantik.client.values import UNSET, Unset, fill


class SharingCalls(Transport):
    """Who may see a collection."""

    async def list_all_collections(
        self, *, cursor: str | Unset = UNSET, limit: int | Unset = UNSET
    ) -> OwnedCollectionList:
        """Every collection and its owner.

        For administrators.

        cursor: `next_cursor` of the page before.
        limit: How many items.

        Raises Refused (401, 403, 421, 422, 429, 503) and Unavailable.
        """
        answer: OwnedCollectionList = await self.read_json(
            "GET", "admin/collections", query={"cursor": cursor, "limit": limit}
        )
        return answer

    async def get_shares(self, collection_id: str) -> Sharing:
        """With whom a collection is shared.

        For whoever manages the collection, and administrators.

        Raises Refused (401, 403, 404, 421, 422, 429, 503) and Unavailable.
        """
        answer: Sharing = await self.read_json("GET", fill("collections/{}/shares", collection_id))
        return answer

    async def share(
        self, collection_id: str, level: ShareLevel, *, user: str | Unset = UNSET, group: str | Unset = UNSET
    ) -> Sharing:
        """Share a collection with a user or a group.

        For whoever manages the collection, and administrators. Needs a sign-in; an API key is refused.

        Raises Refused (401, 403, 404, 408, 409, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: Sharing = await self.read_json(
            "PUT",
            fill("collections/{}/shares", collection_id),
            body={"user": user, "group": group, "level": level},
        )
        return answer

    async def unshare(self, collection_id: str, kind: Literal["user", "group"], subject_id: str) -> None:
        """End a share.

        Users may end what is shared with themselves. Needs a sign-in; an API key is refused.

        Raises Refused (401, 403, 404, 421, 422, 429, 503) and Unavailable.
        """
        await self.read_json("DELETE", fill("collections/{}/shares/{}/{}", collection_id, kind, subject_id))

    async def give_collection(self, collection_id: str, user: str) -> Sharing:
        """Give a collection to another user.

        For the owner and administrators. Needs a sign-in; an API key is refused.

        Raises Refused (401, 403, 404, 408, 409, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: Sharing = await self.read_json(
            "POST", fill("collections/{}/owner", collection_id), body={"user": user}
        )
        return answer
