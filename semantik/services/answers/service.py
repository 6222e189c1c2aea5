"""Answers a question from the documents that its user may read. Runs on the loop."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from semantik.auth.authorization import Authorizer
from semantik.auth.principal import Principal
from semantik.config.settings import AnswerSettings
from semantik.core.errors import Busy, NotFound
from semantik.core.models import Filters
from semantik.search.hits import Hit
from semantik.search.query import SearchQuery
from semantik.search.service import SearchService
from semantik.services.answers.endpoint import complete
from semantik.services.answers.events import AnswerEvent, End, Passages, Sentence
from semantik.services.answers.prompt import NO_ANSWER, messages
from semantik.services.answers.sentences import CitedText, SentenceSplitter


@dataclass(frozen=True)
class Question:
    """`collection_ids` None means all that the user may read."""

    text: str
    collection_ids: tuple[str, ...] | None = None
    filters: Filters = field(default_factory=Filters)


class AnswerService:
    """`limits()` are the current settings."""

    def __init__(
        self, search: SearchService, authorizer: Authorizer, limits: Callable[[], AnswerSettings]
    ) -> None:
        self._search = search
        self._authorizer = authorizer
        self._limits = limits
        self._in_progress = 0

    async def answer(self, principal: Principal, question: Question) -> AsyncGenerator[AnswerEvent, None]:
        """The passages, the sentences as they are written, and the end.

        Before the first event raises NotFound where answers are off, Busy, and what a search raises; after it
        Unavailable, when the endpoint fails. The caller sees to `answers.timeout_s`.
        """
        settings = self._limits()
        if not settings.url:
            raise NotFound("Answers are off here: answers.url names no endpoint of a language model.")
        if self._in_progress >= settings.concurrent:
            raise Busy(
                f"{settings.concurrent} answers are being written already (answers.concurrent): try again.", 5
            )
        self._in_progress += 1
        try:
            async with aclosing(self._events(principal, question, settings)) as events:
                async for event in events:
                    yield event
        finally:
            self._in_progress -= 1

    async def _events(
        self, principal: Principal, question: Question, settings: AnswerSettings
    ) -> AsyncGenerator[AnswerEvent, None]:
        hits = await self._passages(principal, question, settings)
        yield Passages(tuple(hits))
        if not hits:
            yield End("not_in_documents")
            return
        texts = _texts(hits, settings.context_bytes)
        asked = messages(question.text, hits, texts, f"PASSAGES-{secrets.token_hex(8)}")
        splitter, omitted, answered, cut, begun = SentenceSplitter(), 0, False, False, ""
        async with aclosing(complete(settings, asked)) as pieces:
            async for piece in pieces:
                cut = cut or piece.cut
                begun = begun[:100] + piece.text
                if begun.strip().startswith(NO_ANSWER):
                    yield End("not_in_documents")
                    return
                for sentence in splitter.feed(piece.text):
                    if cited := _checked(sentence, len(hits)):
                        answered = True
                        yield cited
                    else:
                        omitted += 1
        # What is left is half a sentence where the text was cut.
        for sentence in [] if cut else splitter.end():
            if cited := _checked(sentence, len(hits)):
                answered = True
                yield cited
            else:
                omitted += 1
        yield End("answered" if answered else "not_in_documents", omitted, cut)

    async def _passages(
        self, principal: Principal, question: Question, settings: AnswerSettings
    ) -> list[Hit]:
        """The best matches that are better than chance. Whether their user may read them is checked once more, since
        they leave the server."""
        query = SearchQuery(
            question.text, question.collection_ids, k=settings.passages, filters=question.filters
        )
        result = await self._search.search(principal, query)
        if result.relevance in (None, "weak"):
            return []
        found = []
        for hit in result.hits:
            if hit.relevance not in (None, "weak") and await self._may_read(principal, hit):
                found.append(hit)
        return found

    async def _may_read(self, principal: Principal, hit: Hit) -> bool:
        try:
            document = await self._authorizer.document(principal, hit.collection.id, hit.document.id)
        except NotFound:
            return False
        return document.has_chunk(hit.chunk.seq)


def _texts(hits: list[Hit], context_bytes: int) -> list[str]:
    """The passages' texts, each shortened to its share of what the model may get, where they are too long together."""
    texts = [hit.chunk.text for hit in hits]
    if sum(len(text.encode()) for text in texts) <= context_bytes:
        return texts
    share = context_bytes // len(texts)
    return [text.encode()[:share].decode(errors="ignore") for text in texts]


def _checked(sentence: CitedText, passages: int) -> Sentence | None:
    """A sentence that cites passages of this answer and no others; None for any other."""
    if not sentence.numbers or not all(1 <= number <= passages for number in sentence.numbers):
        return None
    return Sentence(sentence.text, sentence.numbers)
