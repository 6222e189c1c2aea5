"""BibTeX: each entry as a paragraph of "field: value" lines, below its title. Pure."""

from __future__ import annotations

import re

from pipeline.extraction.markup.latex import LatexText
from pipeline.extraction.markup.latex_source import group

_ENTRY = re.compile(r"@(?P<kind>[a-zA-Z]+)\s*[{(]\s*(?P<key>[^\s,{}=]*)\s*,", re.MULTILINE)
_FIELD = re.compile(r"\s*(?P<name>[\w-]+)\s*=\s*")
_STRING = re.compile(r"@string\s*[{(]\s*(?P<name>[\w-]+)\s*=\s*", re.IGNORECASE)
_HIDDEN = {
    "file",
    "bdsk-url-1",
    "bdsk-file-1",
    "owner",
    "timestamp",
    "date-added",
    "date-modified",
    "crossref",
}


class BibTeX:
    """Reads one bibliography; `text` is the result."""

    title: str | None = None

    def __init__(self, source: str) -> None:
        self._names: dict[str, str] = {}
        for found in _STRING.finditer(source):
            self._names[found["name"].lower()] = self._value(source, found.end())[0]
        parts = []
        for entry in _ENTRY.finditer(source):
            fields, at = {}, entry.end()
            while field := _FIELD.match(source, at):
                value, at = self._value(source, field.end())
                fields[field["name"].lower()] = value
                comma = re.compile(r"\s*,").match(source, at)
                if not comma:
                    break
                at = comma.end()
            title = fields.pop("title", "")
            lines = [f"[{entry['key']}] {title}".strip()]
            lines += [f"{name}: {value}" for name, value in fields.items() if name not in _HIDDEN and value]
            parts.append("\n".join(lines))
        self.text = "\n\n".join(parts) or source

    def _value(self, source: str, at: int) -> tuple[str, int]:
        """The text of a value, whose parts may be joined by `#`, and the offset after it."""
        parts = []
        while at < len(source):
            if source[at] == "{":
                part, at = group(source, at)
                parts.append(_plain(part))
            elif source[at] == '"':
                quoted = re.compile(r'"((?:[^"{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)"').match(source, at)
                parts.append(_plain(quoted[1]) if quoted else "")
                at = quoted.end() if quoted else at + 1
            else:
                word = re.compile(r"[\w.+-]*").match(source, at)
                name = word[0] if word else ""
                parts.append(self._names.get(name.lower(), name))
                at += len(name)
            joined = re.compile(r"\s*#\s*").match(source, at)
            if not joined:
                break
            at = joined.end()
        return "".join(parts).strip(), at


def _plain(value: str) -> str:
    """The text of a value; a space at its ends stays, for what is joined to it."""
    if re.search(r"[\\${}~-]", value):
        text = LatexText(value).text
        value = f"{' ' * value[:1].isspace()}{text}{' ' * value[-1:].isspace()}"
    return re.sub(r"\s+", " ", value)
