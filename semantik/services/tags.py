"""The tags that users give documents. Runs on the loop.

They are kept with the document, beside the tags that it states itself, and stay when it is read again or moved.
"""

from __future__ import annotations

from collections.abc import Sequence

from semantik.auth.authorization import Authorizer
from semantik.auth.principal import Principal
from semantik.core.errors import Invalid
from semantik.core.metadata import MAX_TAG, MAX_TAGS, clean_tags
from semantik.core.models import Document, now
from semantik.storage.mongo import Store
from semantik.storage.mongo.rows import milliseconds


class TagService:
    """Sets tags on behalf of users."""

    def __init__(self, store: Store, authorizer: Authorizer) -> None:
        self._store = store
        self._authorizer = authorizer

    async def replace(
        self, principal: Principal, collection_id: str, document_id: str, tags: Sequence[str]
    ) -> Document:
        """Give a document these tags instead of those that users gave it before; searches know them at once.

        Takes the access "write". Raises Invalid, Forbidden and NotFound.
        """
        cleaned = checked_tags(tags)
        collection = await self._authorizer.collection(principal, collection_id, "write")
        document = await self._authorizer.document(principal, collection_id, document_id)
        collections = self._store.collections
        await collections.begin_tagging(collection_id)
        try:
            await self._store.documents.set_user_tags(collection, document, cleaned, milliseconds(now()))
        finally:
            await collections.end_tagging(collection_id)
        return await self._authorizer.document(principal, collection_id, document_id)


def checked_tags(tags: Sequence[str]) -> tuple[str, ...]:
    """The tags in one form, each once. Raises Invalid for one that could not be kept as it is."""
    if len(tags) > MAX_TAGS:
        raise Invalid(f"tags may have {MAX_TAGS} tags at most.")
    for tag in tags:
        if not clean_tags([tag]) or "," in tag or "*" in tag:
            raise Invalid(
                f"Each tag must have 1 to {MAX_TAG} characters, among them a letter or digit, and no comma or *."
            )
    return clean_tags(tags)
