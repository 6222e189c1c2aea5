"""Rewrites a text in TEI as HTML; of a choice, what an editor corrected or spelled out is read. Pure."""

from __future__ import annotations

import html
from typing import ClassVar

from pipeline.extraction.html.tag_rewriter import MATHML, Pair, TagRewriter, attribute, table_cell
from pipeline.extraction.markup.latex_symbols import mathematics

_BLOCKS = """front body back group argument byline cit closer opener postscript sp figure trailer titlePage docTitle
    listBibl msDesc div0 text floatingText entry castList epigraph"""
_PARAGRAPHS = """lg speaker stage dateline salute signed titlePart docAuthor docDate docImprint figDesc castItem bibl
    biblStruct"""
_INSTEAD = ("sic", "orig", "abbr", "am")  # the half of a choice whose other half is read
_LISTS = {"gloss": "dl", "definition": "dl", "ordered": "ol", "numbered": "ol", "ordered:arabic": "ol"}
_DIVISIONS = frozenset(("div", *(f"div{level}" for level in range(1, 8))))
_INSIDE_NOTES = ("note", "item", "cell", "figure", "quote")


class Tei(TagRewriter):
    """One text, without its header."""

    pairs: ClassVar[dict[str, Pair]] = {
        **MATHML,
        **dict.fromkeys(_BLOCKS.split(), ("<div>", "</div>")),
        **dict.fromkeys(_PARAGRAPHS.split(), ("<p>", "</p>")),
        **dict.fromkeys(_DIVISIONS, ("<section>", "</section>")),
        **dict.fromkeys(("q", "said"), ("“", "”")),
        **dict.fromkeys(("eg", "egXML"), ("<pre>", "</pre>")),
        "l": ("", "<br>"),
        "row": ("<tr>", "</tr>"),
        "table": ("<table>", "</table>"),
        "gap": (" […] ", ""),
        "del": ("<s>", "</s>"),
    }
    skipped = frozenset(("teiHeader", "fw", "facsimile", "sourceDoc", "standOff"))

    def __init__(self) -> None:
        super().__init__()
        self._row = ""  # the role of the open row
        self._lists: list[str] = []  # the tags of the open lists

    def start(self, name: str, attributes: str) -> Pair:
        parent = self.stack[-1] if self.stack else ""
        if name == "head":
            return self._head(parent)
        if parent == "choice" and name in _INSTEAD:
            return "<!--", "-->"
        if name in ("p", "ab"):
            return self._paragraph(name, parent, attributes)
        if name in ("list", "label", "item"):
            return self._list(name, parent, attributes)
        if name == "cell":
            tag = "th" if "label" in (attribute(attributes, "role"), self._row) else "td"
            return table_cell(tag, attributes, ("cols", "rows"))
        if name == "row":
            self._row = attribute(attributes, "role")
        if name == "lb":
            return ("", "") if attribute(attributes, "break") == "no" else (" ", "")
        if name == "note":
            return self.opened_note()
        if name == "quote":
            return ("“", "”") if self.inside("p", "l") else ("<blockquote>", "</blockquote>")
        if name == "hi":
            return _raised(attribute(attributes, "rend") + attribute(attributes, "rendition"))
        return super().start(name, attributes)

    def end(self, name: str) -> None:
        if name == "list" and self._lists:
            self._lists.pop()
        elif name == "note":
            self.close_note()

    def text(self, text: str) -> None:
        if self.stack and self.stack[-1] == "formula" and "\\" in text:
            self.out.append(html.escape(" ".join(mathematics(html.unescape(text)).split())))
            return
        super().text(text)

    def _head(self, parent: str) -> Pair:
        if parent in ("table", "list", "figure"):
            return ("<caption>", "</caption>") if parent == "table" else ("<p>", "</p>")
        level = max(1, min(6, sum(each in _DIVISIONS for each in self.stack)))
        return f"<h{level}>", f"</h{level}>"

    def _paragraph(self, name: str, parent: str, attributes: str) -> Pair:
        if "code" in attribute(attributes, "type"):
            return "<pre>", "</pre>"
        return ("", " ") if parent in _INSIDE_NOTES or self.inside("note") else ("<p>", "</p>")

    def _list(self, name: str, parent: str, attributes: str) -> Pair:
        if name == "list":
            kinds = f"{attribute(attributes, 'type')} {attribute(attributes, 'rend')}".split()
            self._lists.append(next((_LISTS[kind] for kind in kinds if kind in _LISTS), "ul"))
            return f"<{self._lists[-1]}>", f"</{self._lists[-1]}>"
        if parent != "list" or not self._lists:
            return "", " "
        if self._lists[-1] == "dl":
            return ("<dt>", "</dt>") if name == "label" else ("<dd>", "</dd>")
        return ("<li>", "</li>") if name == "item" else ("", " ")


def _raised(rendition: str) -> Pair:
    if "sup" in rendition:
        return "<sup>", "</sup>"
    return ("<sub>", "</sub>") if "sub" in rendition else ("", "")
