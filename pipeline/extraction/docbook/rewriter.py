"""Rewrites a DocBook document as HTML: what an element becomes where it depends on its place. Pure."""

from __future__ import annotations

import html
import re

from pipeline.extraction.docbook.elements import ADMONITIONS, PAIRS, SECTIONS, SKIPPED
from pipeline.extraction.html.tag_rewriter import Pair, TagRewriter, attribute, table_cell

_TITLED = re.compile(
    r"<(?:\w+:)?\w+\b[^<>]*?\b(?:xml:)?id\s*=\s*[\"']([^\"']{1,200})[\"'][^<>]*>\s*"
    r"(?:<(?:\w+:)?\w*info\b[^<>]*>\s*)?<(?:\w+:)?title\b[^<>]*>(.{1,500}?)</(?:\w+:)?title\s*>",
    re.DOTALL,
)
_LABELLED = re.compile(r"<[^<>]*?\bid\s*=\s*[\"']([^\"']+)[\"'][^<>]*?\bxreflabel\s*=\s*[\"']([^\"']+)[\"']")
_TAG = re.compile(r"<(\w*:?indexterm)\b.*?</\1\s*>|<[^>]*>", re.DOTALL)
_PARTS = re.compile(r"&[\w.-]+;|[^&]+|&")
_COLUMN = re.compile(r"\D*(\d{1,3})")
_CHOICES = {"opt": ("[", "]"), "req": ("{", "}")}
_JOINED = {"keycombo": "+", "menuchoice": " → ", "simplelist": ", ", "group": " | ", "refnamediv": ", "}


class DocBook(TagRewriter):
    """One document."""

    pairs = PAIRS
    skipped = SKIPPED

    def __init__(self, source: str) -> None:
        super().__init__()
        self._titles = {found[1]: _plain(found[2]) for found in _TITLED.finditer(source)}
        self._titles |= {found[1]: html.unescape(found[2]) for found in _LABELLED.finditer(source)}
        self._notes: list[str] = []  # those of the open section, as HTML
        self._outer: list[list[str]] = []  # what was written before the notes that are open
        self._numbers: dict[str, int] = {}  # of notes, by their ids
        self._count = 0
        self._children: list[int] = []  # of the open elements whose children are joined

    def start(self, name: str, attributes: str) -> Pair:
        parent = self.stack[-1] if self.stack else ""
        before = self._joint(name, parent)
        method = _STARTS.get(name)
        if method is not None:
            opening, closing = method(self, parent, attributes)
        elif name in SECTIONS:
            opening, closing = "<section>", "</section>"
        elif name in ADMONITIONS:
            opening, closing = f"<div><p>{ADMONITIONS[name]}:</p>", "</div>"
        else:
            opening, closing = super().start(name, attributes)
        if name in _JOINED:
            self._children.append(0)
        return before + opening, closing

    def end(self, name: str) -> None:
        if name in _JOINED and self._children:
            self._children.pop()
        elif name == "footnote" and self._outer:
            note = "".join(self.out)
            self.out = self._outer.pop()
            self._notes.append(f"<div>{note}</div>")
        elif (name in SECTIONS or not self.stack) and self._notes and not self._outer:
            self.out += self._notes
            self._notes = []

    def text(self, text: str) -> None:
        parent = self.stack[-1] if self.stack else ""
        if parent not in _JOINED:
            super().text(text)
            return
        for part in _PARTS.findall(text.strip()):
            if part.startswith("&") and html.unescape(part) == part:  # it stands for an element, like a key
                self.out.append(self._joint("", parent))
            super().text(part)

    def _joint(self, name: str, parent: str) -> str:
        """What stands between this element and the one before it, like the plus sign between two keys."""
        if parent not in _JOINED or not self._children or name == "shortcut":
            return ""
        if name == "refpurpose":
            return " — "
        self._children[-1] += 1
        return _JOINED[parent] if self._children[-1] > 1 and not self._lists_members(parent) else ""

    def _lists_members(self, parent: str) -> bool:
        return parent == "simplelist" and self._closings[-1] == "</ul>"

    def _title(self, parent: str, attributes: str) -> Pair:
        if parent.endswith("info") or parent == "blockinfo":
            parent = self.stack[-2] if len(self.stack) > 1 else parent
        if parent == "table":
            return "<caption>", "</caption>"
        if parent in SECTIONS:
            level = max(1, min(6, sum(each in SECTIONS for each in self.stack)))
            return f"<h{level}>", f"</h{level}>"
        return (" ", " ") if parent.startswith("biblio") else ("<p>", "</p>")

    def _para(self, parent: str, attributes: str) -> Pair:
        if parent in ("footnote", "question", "answer", "formalpara"):
            return "", "<br>"
        return "<p>", "</p>"

    def _list_item(self, parent: str, attributes: str) -> Pair:
        return ("<dd>", "</dd>") if parent == "varlistentry" else ("<li>", "</li>")

    def _gloss_term(self, parent: str, attributes: str) -> Pair:
        return ("<dt>", "</dt>") if parent == "glossentry" else ("", "")

    def _gloss_entry(self, parent: str, attributes: str) -> Pair:
        return ("", "") if parent == "glosslist" else ("<dl>", "</dl>")

    def _simple_list(self, parent: str, attributes: str) -> Pair:
        return ("", "") if attribute(attributes, "type") == "inline" else ("<ul>", "</ul>")

    def _member(self, parent: str, attributes: str) -> Pair:
        return ("<li>", "</li>") if self._lists_members(parent) else ("", "")

    def _meta(self, parent: str, attributes: str) -> Pair:
        level = max(1, min(6, sum(each in SECTIONS for each in self.stack)))
        return f"<h{level}>", f"</h{level}>"

    def _synopsis_part(self, parent: str, attributes: str) -> Pair:
        opening, closing = _CHOICES.get(attribute(attributes, "choice") or "opt", ("", ""))
        repeated = "…" if attribute(attributes, "rep") == "repeat" else ""
        inside_group = " " if parent != "group" else ""
        if inside_group or attribute(attributes, "choice"):
            return f"{inside_group}{opening}", f"{closing}{repeated}{inside_group}"
        return "", repeated

    def _table(self, parent: str, attributes: str) -> Pair:
        return "<table>", "</table>"

    def _entry(self, parent: str, attributes: str) -> Pair:
        tag = "th" if self.inside("thead") else "td"
        spans = ""
        more = attribute(attributes, "morerows")
        if more.isdigit():
            spans += f" rowspan='{int(more) + 1}'"
        first, last = (_COLUMN.fullmatch(attribute(attributes, name)) for name in ("namest", "nameend"))
        if first and last and int(last[1]) > int(first[1]):
            spans += f" colspan='{int(last[1]) - int(first[1]) + 1}'"
        return f"<{tag}{spans}>", f"</{tag}>"

    def _cell(self, parent: str, attributes: str) -> Pair:
        tag = "th" if self.inside("thead") else "td"
        return table_cell(tag, attributes)

    def _footnote(self, parent: str, attributes: str) -> Pair:
        self._count += 1
        if identity := attribute(attributes, "id"):
            self._numbers[identity] = self._count
        self.out.append(f"[{self._count}]")
        self._outer.append(self.out)
        self.out = []
        return f"[{self._count}] ", ""

    def _footnote_reference(self, parent: str, attributes: str) -> Pair:
        number = self._numbers.get(attribute(attributes, "linkend"))
        return (f"[{number}]", "") if number else ("", "")

    def _reference(self, parent: str, attributes: str) -> Pair:
        return html.escape(self._titles.get(attribute(attributes, "linkend"), "")), ""

    def _include(self, parent: str, attributes: str) -> Pair:
        self.included += 1
        return "", ""


def _plain(source: str) -> str:
    return " ".join(html.unescape(_TAG.sub("", source)).split())


_STARTS = {
    "title": DocBook._title,
    "subtitle": DocBook._title,
    "para": DocBook._para,
    "simpara": DocBook._para,
    "listitem": DocBook._list_item,
    "glossterm": DocBook._gloss_term,
    "glossentry": DocBook._gloss_entry,
    "simplelist": DocBook._simple_list,
    "member": DocBook._member,
    "refmeta": DocBook._meta,
    "arg": DocBook._synopsis_part,
    "group": DocBook._synopsis_part,
    "table": DocBook._table,
    "entry": DocBook._entry,
    "td": DocBook._cell,
    "th": DocBook._cell,
    "footnote": DocBook._footnote,
    "footnoteref": DocBook._footnote_reference,
    "xref": DocBook._reference,
    "include": DocBook._include,
}
