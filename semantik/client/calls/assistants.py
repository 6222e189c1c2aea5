"""What programs with language models use. Written by `make clients` from docs/openapi.yaml: do not change it
by hand.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from semantik.client.transport import Transport
from semantik.client.types.shared import Filters
from semantik.client.values import UNSET, ServerEvent, Unset


class AssistantsCalls(Transport):
    """What programs with language models use."""

    def answer(
        self,
        question: str,
        *,
        collection_ids: list[str] | Unset | None = UNSET,
        filters: Filters | Unset = UNSET,
    ) -> AsyncIterator[ServerEvent]:
        """Answer a question from the documents, with citations.

        A language model writes the answer where `answers.url` is set. The answer is a stream of Server-
        Sent Events, which docs/reference/rest-api.md describes.

        question: A question, which may hold filters of the query language.
        collection_ids: Only these; null: all that you may read.

        Raises Refused (401, 403, 404, 413, 421, 422, 429, 503) and Unavailable.
        """
        return self.stream_events(
            "POST",
            "answers",
            body={"question": question, "collection_ids": collection_ids, "filters": filters},
        )
