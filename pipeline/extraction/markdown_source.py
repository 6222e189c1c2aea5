"""Markdown as a person sees it: its raw HTML, comments and entities read, all else as it is in the file.

Pure; runs in the worker processes.
"""

from __future__ import annotations

import html
import re

from pipeline.extraction import html as pages
from pipeline.extraction.raised_text import marked, resolved

_FENCED = re.compile(
    r"^(?P<lead>[ \t>]*)(?P<fence>`{3,}|~{3,})[^\n`]*\n(?:.*?^[ \t>]*(?P=fence)[`~]*[ \t]*\r?$|.*\Z)",
    re.MULTILINE | re.DOTALL,
)
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)[^\n]{1,1000}?(?<!`)\1(?!`)")
_NEAR = 200  # characters before a tag that tell whether its line has text
_HIDDEN = re.compile("\ue000(\\d{1,9})\ue001")
_COMMENT = re.compile(r"[ \t]?<!--.*?-->", re.DOTALL)
_FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(?:.*\n){0,200}?(?:---|\.\.\.)[ \t]*\r?(?:\n|\Z)")
# What only makes sense as a whole is read as HTML; of all other elements the tags go.
_WHOLE = re.compile(r"<(/?)(table|pre|ul|ol|dl|svg|math|script|style|select|ruby)\b[^>]*>", re.IGNORECASE)
_RAISED = re.compile(r"<(su[pb])\b[^>]*>([^<\n]{1,40})</\1\s*>", re.IGNORECASE)
_HEADING = re.compile(
    r"^[ ]{0,3}<h([1-6])\b[^>]*>(.{0,2000}?)</h\1\s*>[ \t]*", re.DOTALL | re.IGNORECASE | re.MULTILINE
)
_BLOCK_NAMES = (
    "table|pre|ul|ol|dl|select|address|article|aside|blockquote|body|center|details|dialog|dd|div|dt|fieldset|figcaption|figure|footer|form"
    "|h[1-6]|header|hr|html|legend|li|main|nav|p|picture|section|source|summary|tbody|td|tfoot|th|thead|tr|video"
)
_INLINE_NAMES = (
    "a|abbr|b|bdi|bdo|big|br|button|cite|code|data|del|dfn|em|font|i|iframe|img|input|ins|kbd|label|mark|q|s|samp"
    "|small|span|strike|strong|sub|sup|time|tt|u|var|wbr"
)
_TAG = re.compile(
    rf"<(?P<end>/?)(?P<name>{_BLOCK_NAMES}|{_INLINE_NAMES})(?P<attributes>\s(?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*)?\s*/?>",
    re.IGNORECASE,
)
_BLOCK = re.compile(rf"(?:{_BLOCK_NAMES})\Z", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_BLANK_LINES = re.compile(r"(?:[ \t]*\r?\n){4,}")


def as_seen(text: str) -> str:
    """The text without the markup of HTML; code, front matter and the markup of Markdown stay."""
    if "<" not in text and "&" not in text:
        return text
    front = _FRONT_MATTER.match(text)
    at = front.end() if front else 0
    parts = [text[:at]]
    for code in _FENCED.finditer(text, at):
        parts += (_seen(text[at : code.start()]), code[0])
        at = code.end()
    parts.append(_seen(text[at:]))
    return "".join(parts)


def _seen(text: str) -> str:
    if "<" not in text and "&" not in text:
        return text
    spans: list[str] = []

    def hidden(span: re.Match[str]) -> str:
        spans.append(span[0])
        return f"\ue000{len(spans) - 1}\ue001"

    text = _CODE_SPAN.sub(hidden, text)
    text = _with_whole_elements(without_comments(text))
    text = resolved(
        _RAISED.sub(lambda found: marked(found[2], 1 if found[1] in ("sup", "SUP") else -1), text)
    )
    text = _HEADING.sub(lambda found: f"{'#' * int(found[1])} {_one_line(found[2])}", text)
    text = _TAG.sub(lambda tag: _instead(tag, text), text)
    text = _ENTITY.sub(lambda found: html.unescape(found[0]).replace("\xa0", " "), text)
    text = _BLANK_LINES.sub("\n\n", text)
    return _HIDDEN.sub(lambda mark: spans[int(mark[1])] if int(mark[1]) < len(spans) else mark[0], text)


def without_comments(text: str) -> str:
    """The text without the comments of HTML."""
    closed = text.rfind("-->") + 3  # no search goes beyond, so the time is linear
    return text if closed < 3 else _COMMENT.sub("", text[:closed]) + text[closed:]


def _with_whole_elements(text: str) -> str:
    """The text with its tables, lists and the like as Markdown. One without an end stays as it is."""
    parts: list[str] = []
    at = start = depth = 0
    name = ""
    for tag in _WHOLE.finditer(text):
        if depth and tag[2].lower() == name:
            depth += -1 if tag[1] else 1
            if not depth:
                parts += (text[at:start], pages.html_to_markdown(text[start : tag.end()]).text)
                at = tag.end()
        elif not depth and not tag[1]:
            name, start, depth = tag[2].lower(), tag.start(), 1
    return "".join(parts) + text[at:]


def _one_line(source: str) -> str:
    return " ".join(pages.html_to_markdown(source, keep_navigation=True).text.split())


def _instead(tag: re.Match[str], text: str) -> str:
    """What stands for a tag: the alternative text of a picture, a line end for a break or between blocks."""
    name = tag["name"].lower()
    if name == "img":
        return pages.html_to_markdown(tag[0]).text
    is_block = _BLOCK.match(name) is not None
    if name != "br" and not is_block:
        return ""
    line = text[max(text.rfind("\n", 0, tag.start()) + 1, tag.start() - _NEAR) : tag.start()]
    if line.lstrip().startswith("|"):
        return " "  # a row of a table stays on its line
    if tag["end"] or name == "br":
        return "" if text[tag.end() : tag.end() + 1] in ("", "\n", "\r") else "\n"
    return "\n" if _TAG.sub("", line).strip() else ""
