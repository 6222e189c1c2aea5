"""What programs with language models use. Written by `make clients` from docs/openapi.yaml: do not change it
by hand.
"""

from __future__ import annotations

from collections.abc import Iterator

from semantik.client.portal import Portal
from semantik.client.types.shared import Filters
from semantik.client.values import UNSET, ServerEvent, Unset


class AssistantsSyncCalls(Portal):
    """What programs with language models use."""

    def answer(
        self,
        question: str,
        *,
        collection_ids: list[str] | Unset | None = UNSET,
        filters: Filters | Unset = UNSET,
    ) -> Iterator[ServerEvent]:
        """Answer a question from the documents, with citations."""
        return self.iterate(
            lambda client: client.answer(question, collection_ids=collection_ids, filters=filters)
        )
