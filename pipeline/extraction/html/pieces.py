"""Pieces of HTML that stand inside of other files, such as a value of JSON or an element of XML. Pure."""

from __future__ import annotations

import re

from pipeline.extraction.html.page import html_to_markdown

_PIECE = re.compile(
    r"\s*(?><!--.*?-->\s*|<!doctype[^>]*>\s*)*"
    r"<(?:html|body|p|div|span|h[1-6]|[ou]l|dl|table|a|b|i|u|em|strong|small|font|br|hr|img|figure|pre|code|blockquote"
    r"|article|section|main|header|details|style)\b[^<>]*>.*>\s*\Z",
    re.DOTALL | re.IGNORECASE,
)


def is_piece(text: str) -> bool:
    """Whether a text is HTML from its beginning to its end; "<id>" is none, nor a sentence with a tag in it."""
    return text.lstrip().startswith("<") and "</" in text and _PIECE.match(text) is not None


def piece_to_markdown(source: str) -> str:
    """What a browser shows of a piece of HTML."""
    return html_to_markdown(
        f"<!doctype html><html><head></head><body>{source}</body></html>", keep_navigation=True
    ).text
