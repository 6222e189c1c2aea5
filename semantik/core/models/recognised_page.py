"""Texts that were recognised in pictures. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RecognisedPage:
    """The text of one page; it is the same for all files of a collection with the same content.

    `version` names what recognised it, and `confidence` is 0 to 100. `problem` is a sentence on why a page has no text:
    it took longer than `timeout_s` seconds, or cannot be drawn.
    """

    collection_id: str
    content_hash: str
    number: int
    version: str
    text: str
    confidence: float
    turned: float
    problem: str | None
    timeout_s: float
