"""What was recognised in the files that are to be read: the workers put it at its pages. Runs on the loop."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.compute.messages import RecognisedTexts
from pipeline.context.context import OperationContext
from semantik.core.models import Document, RecognisedPage


async def recognised_texts(
    context: OperationContext, documents: Sequence[Document]
) -> dict[str, RecognisedTexts]:
    """By the ids of those documents that have any. Their files may have changed since: the worker compares the hash."""
    found: dict[str, RecognisedTexts] = {}
    for one in documents:
        if one.content_hash and has_recognised_pages(one):
            pages = await context.deps.store.recognised_pages.of_content(one.collection_id, one.content_hash)
            if pages:
                found[one.id] = _texts(one.content_hash, pages)
    return found


def has_recognised_pages(document: Document) -> bool:
    """Whether texts of the document's pages may have been recognised."""
    return bool(document.unrecognised or (document.quality and document.quality.recognised_pages))


def _texts(content_hash: str, pages: Sequence[RecognisedPage]) -> RecognisedTexts:
    return RecognisedTexts(
        content_hash,
        tuple((page.number, page.text) for page in pages),
        tuple(
            f"The text of page {page.number} was not recognised: {page.problem}."
            for page in pages
            if page.problem
        ),
    )
