"""Rewrites a journal article in JATS, or a book in BITS, as HTML. Pure."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import ClassVar

from pipeline.extraction.html.tag_rewriter import MATHML, Pair, TagRewriter, attribute, table_cell
from pipeline.extraction.markup.latex_symbols import mathematics

_SECTION_NAMES = "sec abstract trans-abstract ack app ref-list glossary notes sub-article response"
_SECTIONS = frozenset(_SECTION_NAMES.split())
_BLOCKS = """front article-meta title-group aff author-notes body back fig fig-group table-wrap
    table-wrap-foot table-wrap-group caption fn-group boxed-text statement verse-group ref app-group
    supplementary-material media floats-group disp-formula-group dedication preface book-part book-part-meta"""
_PARAGRAPHS = "subtitle corresp fn attrib speech verse-line funding-statement data-title trans-title"
_SKIPPED = """journal-meta article-id article-categories pub-date permissions history counts custom-meta-group self-uri
    contrib-id object-id processing-meta issue-id collection-meta book-id related-article sec-meta pub-history
    article-version x"""
_SAME = "p sup sub th td tr thead tbody tfoot table"
# A person's name, and a reference whose parts have no punctuation between them.
_SPACED_NAMES = """element-citation nlm-citation name person-group string-name name-alternatives date address
    institution-wrap"""
_SPACED = frozenset(_SPACED_NAMES.split())
_NUMBERS = frozenset(("volume", "issue", "fpage", "lpage", "elocation-id"))  # of the article's own pages
_FOOTNOTES = ("fn", "table-fn")


class Jats(TagRewriter):
    """One article."""

    pairs: ClassVar[dict[str, Pair]] = {
        **MATHML,
        **dict.fromkeys(_BLOCKS.split(), ("<div>", "</div>")),
        **dict.fromkeys(_PARAGRAPHS.split(), ("<p>", "</p>")),
        **{name: (f"<{name}>", f"</{name}>") for name in _SAME.split()},
        **dict.fromkeys(("preformat", "code"), ("<pre>", "</pre>")),
        "list-item": ("<li>", "</li>"),
        "def-list": ("<dl>", "</dl>"),
        "term": ("<dt>", "</dt>"),
        "def": ("<dd>", "</dd>"),
        "disp-quote": ("<blockquote>", "</blockquote>"),
        "label": ("", " "),
        "alt-text": (" ", " "),
        "break": ("<br>", ""),
        "strike": ("<s>", "</s>"),
        "degrees": (" ", " "),
        "email": (" ", " "),
    }
    skipped = frozenset(_SKIPPED.split())

    def __init__(self) -> None:
        super().__init__()
        self._listed = 0  # names, or keywords, that are written of the open group

    def start(self, name: str, attributes: str) -> Pair:
        parent = self.stack[-1] if self.stack else ""
        if name in _SECTIONS:
            return "<section>", "</section>"
        if name in ("td", "th"):
            return table_cell(name, attributes)
        if name in _STARTS:
            return _STARTS[name](self, parent, attributes)
        if name in ("fn", "p", "label"):
            return self._note_part(name, parent)
        if parent == "article-meta" and name in _NUMBERS:
            return "<!--", "-->"
        return (" ", "") if parent in _SPACED else super().start(name, attributes)

    def end(self, name: str) -> None:
        if name == "fn" and self.inside("p"):
            self.close_note()

    def text(self, text: str) -> None:
        parent = self.stack[-1] if self.stack else ""
        if parent in ("contrib", "contrib-group", "kwd-group") and text.isspace():
            return  # no blanks before the commas
        if parent == "tex-math":
            if not self.inside("alternatives"):  # else the same formula stands beside it in MathML
                self.out.append(html.escape(_formula(html.unescape(text))))
            return
        super().text(text)

    def _note_part(self, name: str, parent: str) -> Pair:
        """A note stands in parentheses inside a paragraph, and is one of its own elsewhere."""
        if name == "fn" and self.inside("p"):
            return self.opened_note()
        if name == "p" and (parent in ("fn", "def", "list-item", "td", "th") or self.inside("p")):
            return "", " "
        if name == "label" and parent == "fn":
            return "[", "] "
        return self.pairs[name]

    def _group(self, parent: str, attributes: str) -> Pair:
        self._listed = 0
        return "<p>", "</p>"

    def _member(self, parent: str, attributes: str) -> Pair:
        self._listed += 1
        return ", " if self._listed > 1 else "", ""

    def _list(self, parent: str, attributes: str) -> Pair:
        tag = "ol" if attribute(attributes, "list-type") in ("order", "arabic") else "ul"
        return f"<{tag}>", f"</{tag}>"

    def _article_title(self, parent: str, attributes: str) -> Pair:
        return self._title(parent, attributes) if parent == "title-group" else (" ", "")

    def _title(self, parent: str, attributes: str) -> Pair:
        if parent in ("caption", "kwd-group", "list", "def-list", "fn-group", "boxed-text", "statement"):
            return "<p>", "</p>"
        level = max(1, min(6, 1 + sum(each in _SECTIONS for each in self.stack)))
        return f"<h{level}>", f"</h{level}>"

    def _reference(self, parent: str, attributes: str) -> Pair:
        if self.inside("contrib"):
            return "<!--", "-->"  # the marks of affiliations, which stand below all names
        if attribute(attributes, "ref-type") in _FOOTNOTES and parent != "sup":
            return "<sup><a href='#fn'>", "</a></sup>"
        return "", ""


def _formula(source: str) -> str:
    """A formula, of which publishers store a whole document in LaTeX."""
    body = source.partition("\\begin{document}")[2].partition("\\end{document}")[0] or source
    return " ".join(mathematics(body.replace("$", "")).split())


_STARTS: dict[str, Callable[[Jats, str, str], Pair]] = {
    "contrib-group": Jats._group,
    "kwd-group": Jats._group,
    "contrib": Jats._member,
    "kwd": Jats._member,
    "list": Jats._list,
    "article-title": Jats._article_title,
    "title": Jats._title,
    "xref": Jats._reference,
}
