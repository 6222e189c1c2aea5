"""Takes pictures and files that are written into a text as data: URIs out of it. Pure; runs in the worker processes."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from dataclasses import replace

from pipeline.extraction.content import Content

_MEDIA = r"data:(?:[\w.+-]{1,60}/[\w.+*-]{1,100}|(?=;|,))(?:;[\w.+-]{1,60}(?:=[\w.+\"'-]{1,100})?){0,6}"
_LINES = r"(?:(?:\\n|\r?\n)[ \t]*[A-Za-z0-9+/_-]{50,}={0,2})*"  # of base64, the \n of a JSON text included
_LAST_LINE = r"(?:\r?\n(?:[A-Za-z0-9+/_-]{16,}|[A-Za-z0-9+/_-]*=)={0,2}(?=\s|\)|\"|'|$))?"
_PAYLOAD = (
    rf"(?:;base64,[ \t]*[A-Za-z0-9+/_%=-]*{_LINES}{_LAST_LINE}"
    r"|,[ \t]*<svg\b.{0,200000}?</svg>"
    r"|,(?=[%A-Za-z0-9])[^\s\"'()<>]*)"
)
_URI = rf"{_MEDIA}{_PAYLOAD}"
_QUOTED = r"(?:\s+(?:\"[^\"]{0,500}\"|'[^']{0,500}'))?"
_WRITTEN = re.compile(
    rf"!?\[(?P<label>[^\[\]]{{0,500}})\]\(\s*<?{_URI}>?{_QUOTED}\s*\)(?:\{{[^}}\n]{{0,200}}\}})?"
    rf"|^[ ]{{0,3}}\[[^\]\n]{{1,200}}\]:\s*<?{_URI}>?[^\n]*$"
    rf"|<(?:img|image|source|embed|object|video|audio|link|use)\b"
    rf"(?P<tag>[^<>]{{0,2000}}?){_URI}(?P<more>[^<>]{{0,2000}})>"
    rf"|url\(\s*[\"']?{_URI}[\"']?\s*\)"
    rf"|{_URI}",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
_ALT = re.compile(r"\balt\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)


def without_data_uris(content: Content) -> Content:
    """The same content; of a picture its alternative text is left. Pages start where they did."""
    if "data:" not in content.text.lower():
        return content
    parts: list[str] = []
    ends: list[int] = []  # of what was taken out
    shifts = [0]  # characters that the text has become shorter by, after each of them
    at = 0
    for start, end, instead in _found(content.text):
        parts += (content.text[at:start], instead)
        ends.append(end)
        shifts.append(shifts[-1] + end - start - len(instead))
        at = end
    if not ends:
        return content
    parts.append(content.text[at:])
    pages = tuple(
        (number, offset - shifts[bisect.bisect_right(ends, offset)]) for number, offset in content.pages
    )
    return replace(content, text="".join(parts), pages=pages)


def _found(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, what stands there instead) of each."""
    for found in _WRITTEN.finditer(text):
        if len(found[0]) < 20:
            continue
        instead = found["label"] or ""
        if found["tag"] is not None and (alt := _ALT.search(f"{found['tag']} {found['more']}")):
            instead = alt[1] or alt[2] or ""
        before = text[found.start() - 1 : found.start()]
        after = text[found.end() : found.end() + 1]
        if before and not before.isspace() and before not in "([{\"'":
            instead = f" {instead}".rstrip() if instead else instead
        if not instead and before.isalnum() and after.isalnum():
            instead = " "
        elif instead and after.isalnum():
            instead += " "
        yield found.start(), found.end(), instead
