"""The inline markup of AsciiDoc: quotes, macros, references to attributes. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipeline.extraction.markup.latex_symbols import mathematics
from pipeline.extraction.raised_text import marked, resolved

_BUILT_IN = {
    "empty": "", "blank": "", "sp": " ", "nbsp": " ", "zwsp": "", "wj": "", "apos": "'", "quot": '"', "lsquo": "‘",
    "rsquo": "’",     "ldquo": "“", "rdquo": "”", "deg": "°", "plus": "+", "brvbar": "¦", "vbar": "|",
    "amp": "&", "lt": "<", "gt": ">",
    "startsb": "[", "endsb": "]", "caret": "^", "asterisk": "*", "tilde": "~", "backslash": "\\", "backtick": "`",
    "two-colons": "::", "two-semicolons": ";;", "cpp": "C++", "litdd": "--",
}  # fmt: skip
_ATTRIBUTE = re.compile(r"(?<!\\)\{([\w][\w-]*)\}")
_PASS = re.compile(
    r"\+\+\+(.*?)\+\+\+|\+\+([^\w\s+]{1,3}|_{1,3})\+\+|(?<!\w)\+\+(?=\S)([^+\n]{1,300}?)(?<=\S)\+\+"
    r"|pass:[\w,]*\[(.*?)\]",
    re.DOTALL,
)
_MACRO = re.compile(
    r"(?:(?<!\\)(?=footnote)|(?<![\w\\]))(?P<name>link|xref|mailto|image|icon|kbd|btn|menu|footnote|footnoteref|indexterm2?|anchor|stem|latexmath|asciimath|"
    r"https?|ftp|irc|linkgit|gitlink|man|citenp|cite|index|see):(?P<target>[^\s\[\]]*)\[(?P<text>(?:[^\[\]\\]|\\.|\[[^\[\]]*\])*)\]"
)
_REFERENCE = re.compile(r"<<(?P<target>[^<>,\n]+)(?:,\s*(?P<text>[^<>]*))?>>")
_ANCHOR = re.compile(r"\[\[[^\[\]]*\]\]|\(\(\([^()]*\)\)\)")
_INDEXED = re.compile(r"\(\(([^()]+)\)\)")
_ROLE = re.compile(r"(?<!\w)\[[.#%\w -]+\](?=[#*_`])")
_DOUBLE = re.compile(r"(\*\*|__|``|##|\^\^|~~)(.+?)\1", re.DOTALL)
_SINGLE = re.compile(
    r"(?<![\w*_`#\\])([*_`#])(?=[^\s*_`#])((?:(?!\n\n).){0,2000}?(?<=\S))\1(?![\w*`#])", re.DOTALL
)
_QUOTES = re.compile(r"(?<!\w)([\"'])`(.+?)`\1", re.DOTALL)
_OLD_QUOTES = re.compile(r"(?<!\w)``(.+?)''|(?<![\w`])`([^`'\n]+)'(?!\w)")
_MONO = re.compile(r"(?<![\w+])\+(?=\S)([^+\n]{1,300}?)(?<=\S)\+(?![\w+])")
_RAISED = re.compile(r"([\^~])(\S[^\s\^~]{0,60})\1")
_POSITIONS = {"^": 1, "~": -1}
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|[a-zA-Z]{2,31});")
_ARGUMENT = re.compile(
    r",?\s*(?:role|window|opts|options|title|width|height|link|align|id|scaledwidth)=(?:\"[^\"]*\"|[^,]*)"
)


def plain(text: str, attributes: Mapping[str, str]) -> str:
    """The text without markup; an attribute that is not defined stays as it is written."""
    text = _ATTRIBUTE.sub(lambda found: _value(found, attributes), text)
    text = _PASS.sub(
        lambda found: re.sub(r"</?[a-zA-Z][^<>]*>", "", found[1] or found[2] or found[3] or found[4] or ""),
        text,
    )
    for _ in range(2):  # a footnote may hold a link
        text = _MACRO.sub(_macro, text)
    text = _REFERENCE.sub(lambda found: (found["text"] or found["target"].lstrip("_#")).strip(), text)
    text = _INDEXED.sub(r"\1", _ANCHOR.sub("", text))
    text = _QUOTES.sub(lambda found: f"“{found[2]}”" if found[1] == '"' else f"‘{found[2]}’", text)
    text = _OLD_QUOTES.sub(lambda found: f"“{found[1]}”" if found[1] else f"‘{found[2]}’", text)
    text = _DOUBLE.sub(r"\2", _ROLE.sub("", text))
    for _ in range(2):
        text = _SINGLE.sub(r"\2", text)
    text = _RAISED.sub(lambda found: marked(found[2], _POSITIONS[found[1]]), _MONO.sub(r"\1", text))
    text = resolved(text)
    if "&" in text:
        import html

        text = _ENTITY.sub(lambda found: html.unescape(found[0]), text)
    text = re.sub(r"(?<=\w)--(?=\w)|(?<=\s)--(?=\s)", "—", text)
    return re.sub(r"\\(?=[{*_`#\[<+:'-]|https?:)", "", text).strip()


def alternative(text: str) -> str:
    """The alternative text of a picture: its first argument, if that has no name."""
    quoted = re.match(r'\s*"([^"]*)"', text) or re.search(r'\balt="?([^",]*)', text)
    if quoted:
        return quoted[1]
    first = text.split(",")[0].strip()
    return "" if "=" in first else first


def _value(found: re.Match[str], attributes: Mapping[str, str]) -> str:
    name = found[1].lower()
    return attributes.get(name, _BUILT_IN.get(name, found[0]))


def _macro(found: re.Match[str]) -> str:
    name, target = found["name"], found["target"]
    if name in ("stem", "latexmath", "asciimath"):
        return " ".join(mathematics(found["text"]).split())
    text = re.sub(r"\\(.)", r"\1", found["text"])
    if name in ("image", "icon"):
        return alternative(text)
    if name in ("footnote", "footnoteref"):
        return f" ({text.partition(',')[2] if name == 'footnoteref' else text})" if text else ""
    if name in ("indexterm", "anchor", "index"):
        return ""
    if name in ("linkgit", "gitlink", "man"):
        return f"{target}({text})" if text else target
    if name == "menu":
        return " > ".join([target, *(part.strip() for part in text.split(">") if part.strip())])
    text = _ARGUMENT.sub("", text).strip().strip('"').rstrip("^")
    if not text and name in ("https", "http", "ftp", "irc"):
        return f"{name}:{target}"
    return text or target.rpartition("#")[2]
