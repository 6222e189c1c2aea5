"""The inline markup of reStructuredText: roles, literals, links, substitutions. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipeline.extraction.markup.latex_symbols import mathematics
from pipeline.extraction.raised_text import marked, resolved

_LITERAL = re.compile(r"``(.+?)``(?!`)", re.DOTALL)
_ROLE = re.compile(
    r"(?<![\w`]):(?P<role>[a-zA-Z][\w:.+-]{0,60}):`(?P<text>[^`]+)`|`(?P<text2>[^`]+)`:(?P<role2>[\w:.-]+):"
)
_TARGETED = re.compile(r"\A!?~?(?P<label>.*?)\s*<(?P<target>[^<>]*)>\s*\Z", re.DOTALL)
_REFERENCE = re.compile(r"`(?P<label>[^`<>]+?)?\s*(?:<(?P<target>[^`<>]+)>)?`__?(?!\w)", re.DOTALL)
_INTERPRETED = re.compile(r"`([^`\n]+)`(?!_)")
_SUBSTITUTION = re.compile(r"\|(?P<name>\S(?:[^|\n]{0,100}\S)?)\|_{0,2}")
_STRONG = re.compile(r"(?<![\w*\\])\*\*(?=\S)(.+?)(?<=\S)\*\*(?![\w*])", re.DOTALL)
_EMPHASIS = re.compile(r"(?<![\w*\\])\*(?=[^\s*])([^*]+?)(?<=\S)\*(?![\w*])", re.DOTALL)
_NAMED_REFERENCE = re.compile(r"(?<=\w)__?(?=[\s.,;:!?)\]'\"-]|\Z)")
_FOOTNOTE_MARK = re.compile(r"\s?\[(?P<mark>\d{1,4}|#[\w-]*|\*)\]_(?!\w)")
_CITATION = re.compile(r"\[(?P<name>[A-Za-z][\w.+-]*)\]_(?!\w)")
_TARGET = re.compile(r"(?<![\w`])_`([^`]+)`")
_POSITIONS = {"sup": 1, "superscript": 1, "sub": -1, "subscript": -1}
_KEPT = re.compile("\ue000(\\d{1,9})\ue001")
_ESCAPE = re.compile(r"\\([^\n])|\\\n")


def plain(text: str, substitutions: Mapping[str, str]) -> str:
    """The text of a paragraph; literals keep their backslashes and asterisks."""
    parts = _LITERAL.split(text)
    return "".join(_outside(part, substitutions) if not at % 2 else part for at, part in enumerate(parts))


def _outside(text: str, substitutions: Mapping[str, str]) -> str:
    if not re.search(r"[`*|_\\]", text):
        return text
    kept: list[str] = []  # formulas, in which the characters of markup mean something else
    text = _ROLE.sub(lambda found: _role(found, kept), text)
    text = _TARGET.sub(r"\1", text)
    text = _REFERENCE.sub(lambda found: found["label"] or found["target"] or "", text)
    text = _INTERPRETED.sub(r"\1", text)
    text = _SUBSTITUTION.sub(lambda found: substitutions.get(found["name"].lower(), found[0]), text)
    text = _EMPHASIS.sub(r"\1", _STRONG.sub(r"\1", text))
    text = _FOOTNOTE_MARK.sub(lambda found: f" [{found['mark'].lstrip('#') or '#'}]", text)
    text = _CITATION.sub(r"[\1]", text)
    text = _NAMED_REFERENCE.sub("", text)
    text = resolved(_ESCAPE.sub(lambda found: (found[1] or "").strip(), text))
    return _KEPT.sub(lambda found: kept[int(found[1])] if int(found[1]) < len(kept) else found[0], text)


def _role(found: re.Match[str], kept: list[str]) -> str:
    text = found["text"] or found["text2"]
    role = (found["role"] or found["role2"]).rpartition(":")[2]
    if role == "math":
        kept.append(" ".join(mathematics(text).split()))
        return f"\ue000{len(kept) - 1}\ue001"
    if role in _POSITIONS:
        return marked(text, _POSITIONS[role])
    if role in ("code", "kbd", "samp", "command", "file", "literal", "raw"):
        return text if role != "samp" else re.sub(r"[{}]", "", text)
    if role in ("pep", "PEP", "rfc", "RFC") and not _TARGETED.match(text):
        return f"{role.upper()} {text}"
    if targeted := _TARGETED.match(text):
        return targeted["label"] or targeted["target"]
    if text.startswith("~"):
        return text[1:].rpartition(".")[2]
    return text.removeprefix("!")
