"""Walks the elements of a page in order and writes them as Markdown. Pure; no recursion, whatever the depth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.extraction.html import controls, inline, preformatted, tables
from pipeline.extraction.html.blocks import HEADINGS, MARGINS
from pipeline.extraction.html.numbering import Numbering, numbering
from pipeline.extraction.html.visibility import Attributes, Visibility
from pipeline.extraction.html.writer import BREAK, GAP, LINE, PARAGRAPH, Writer, joined
from pipeline.extraction.raised_text import marked

Leave = Callable[[], None]
_SKIP = object()  # the element is read, or left out: its children are not walked

_QUOTES = (("“", "”"), ("‘", "’"))


class Renderer:
    """Writes one page, or one cell of a table. `cell` makes one line of it: blocks are only set apart by spaces."""

    def __init__(
        self, visibility: Visibility, *, cell: bool = False, headed: frozenset[int] = frozenset()
    ) -> None:
        self.writer = Writer()
        self._headed = headed  # see `blocks.headed`
        self._visibility = visibility
        self._cell = cell
        self._lists: list[Numbering | None] = []  # those that are open
        self._quotes = 0

    def render(self, root: Any) -> str:
        """The text of everything in `root`."""
        self._walk(root)
        return " ".join(joined(self.writer.inline).split()) if self._cell else self.writer.result()

    def _walk(self, root: Any) -> None:
        open_elements: list[tuple[Any, Leave | None]] = []
        node = root.child
        writer, enter = self.writer, self._enter
        while True:
            if node is None:
                if not open_elements:
                    return
                node, leave = open_elements.pop()
                if leave is not None:
                    leave()
                node = node.next
                continue
            tag = node.tag
            if tag == "-text":
                writer.text(node.text_content)
            elif tag[0] not in "-!":
                leave = enter(node, tag)
                if leave is not _SKIP and node.child is not None:
                    open_elements.append((node, leave))
                    node = node.child
                    continue
                if leave is not _SKIP and leave is not None:
                    leave()
            node = node.next

    def _enter(self, node: Any, tag: str) -> Any:
        """Begins an element: what to call at its end, None, or _SKIP."""
        attributes: Attributes = node.attributes
        if self._visibility.skips(node, tag, attributes):
            return _SKIP
        special = _SPECIAL.get(tag)
        if special is not None:
            return special(self, node, attributes)
        if level := HEADINGS.get(tag):
            return self._heading(level)
        if margin := MARGINS.get(tag):
            self._block(margin)
            return lambda: self._block(margin)
        if "-" in tag:
            self.writer.raw(GAP)
            return lambda: self.writer.raw(GAP)
        return None

    def _block(self, margin: int) -> None:
        if self._cell:
            self.writer.raw(" ")
        else:
            self.writer.block(margin)

    def _heading(self, level: int) -> Leave:
        self._block(PARAGRAPH)
        self.writer.heading = level

        def leave() -> None:
            self._block(PARAGRAPH)
            self.writer.heading = 0

        return leave

    def _break(self, node: Any, attributes: Attributes) -> Any:
        self.writer.raw(BREAK)
        return _SKIP

    def _list(self, node: Any, attributes: Attributes) -> Any:
        nested = bool(self._lists)
        self._lists.append(numbering(node, attributes))
        self._block(LINE if nested else PARAGRAPH)

        def leave() -> None:
            self._lists.pop()
            self._block(LINE if nested else PARAGRAPH)

        return leave

    def _item(self, node: Any, attributes: Attributes) -> Any:
        self._block(LINE)
        if self._cell or node.mem_id in self._headed:
            return lambda: self._block(LINE)
        ordered = self._lists[-1] if self._lists else None
        marker = ordered.marker(attributes) if ordered else "- "
        return self._prefixed(marker, " " * len(marker), LINE)

    def _prefixed(self, first: str, rest: str, margin: int) -> Leave:
        self.writer.open_prefix(first, rest)
        before = self.writer.written

        def leave() -> None:
            self.writer.block(margin)
            self.writer.close_prefix()
            if (
                margin == LINE and self.writer.written - before <= 2
            ):  # a single paragraph, and what is before it
                self.writer.tighten()

        return leave

    def _definition(self, node: Any, attributes: Attributes) -> Any:
        return self._marked(node, ": ", "  ", LINE)

    def _quote(self, node: Any, attributes: Attributes) -> Any:
        return self._marked(node, "> ", "> ", PARAGRAPH)

    def _marked(self, node: Any, first: str, rest: str, margin: int) -> Leave:
        self._block(margin)
        if self._cell or node.mem_id in self._headed:
            return lambda: self._block(margin)
        return self._prefixed(first, rest, margin)

    def _inline_quote(self, node: Any, attributes: Attributes) -> Any:
        opening, closing = _QUOTES[min(self._quotes, 1)]
        self._quotes += 1
        self.writer.raw(opening)

        def leave() -> None:
            self._quotes -= 1
            self.writer.raw(closing)

        return leave

    def _struck(self, node: Any, attributes: Attributes) -> Any:
        if not node.text(strip=True) or node.css_first("p, div, li, table, h1, h2, h3") is not None:
            return None
        self.writer.raw("~~")
        return lambda: self.writer.raw("~~")

    def _inside(self, node: Any) -> str:
        """The text of an element as one line."""
        return Renderer(self._visibility, cell=True).render(node)

    def _sup(self, node: Any, attributes: Attributes) -> Any:
        text = self._inside(node)
        self.writer.text(inline.note(node, attributes, text) or marked(text, 1))
        return _SKIP

    def _sub(self, node: Any, attributes: Attributes) -> Any:
        self.writer.text(marked(self._inside(node), -1))
        return _SKIP

    def _span(self, node: Any, attributes: Attributes) -> Any:
        if position := inline.position(attributes):
            return (self._sup if position > 0 else self._sub)(node, attributes)
        if not inline.is_label(attributes):
            return None
        self.writer.raw(GAP)
        return lambda: self.writer.raw(GAP)

    def _ruby(self, node: Any, attributes: Attributes) -> Any:
        self.writer.text(inline.ruby(node))
        return _SKIP

    def _math(self, node: Any, attributes: Attributes) -> Any:
        text = inline.formula(node) or (attributes.get("alttext") or "")
        block = attributes.get("display") == "block"
        if block:
            self._block(PARAGRAPH)
        self._apart(text)
        if block:
            self._block(PARAGRAPH)
        return _SKIP

    def _picture(self, node: Any, attributes: Attributes) -> Any:
        self._apart(inline.alternative(attributes))
        return _SKIP

    def _svg(self, node: Any, attributes: Attributes) -> Any:
        for text in inline.drawn(node):
            self._apart(text)
        self.writer.raw(GAP)
        return _SKIP

    def _link(self, node: Any, attributes: Attributes) -> Any:
        if inline.is_permalink(node, attributes):
            return _SKIP
        if mark := inline.note_mark(node, attributes):
            self.writer.text(mark)
            return _SKIP
        before = node.prev
        if before is not None and before.tag == "a":
            self.writer.raw(GAP)
        return None

    def _pre(self, node: Any, attributes: Attributes) -> Any:
        if self._cell:
            return None
        self.writer.block(PARAGRAPH)
        if lines := preformatted.fenced(node, self._visibility):
            self.writer.lines(lines)
        return _SKIP

    def _table(self, node: Any, attributes: Attributes) -> Any:
        if self._cell or tables.is_layout(node, attributes):
            self._block(PARAGRAPH)
            return lambda: self._block(PARAGRAPH)
        self._block(PARAGRAPH)
        caption = node.css_first("caption")
        if caption is not None and (text := self._inside(caption)):
            self.writer.text(text)
        if lines := tables.rows(node, self._inside):
            self.writer.lines(lines)
        return _SKIP

    def _table_cell(self, node: Any, attributes: Attributes) -> Any:
        if preformatted.is_line_number(attributes):
            return _SKIP
        self._block(LINE)
        return lambda: self._block(LINE)

    def _control(self, node: Any, attributes: Attributes) -> Any:
        text = controls.chosen(node) if node.tag == "select" else controls.input_text(node, attributes)
        self._apart(text)
        return _SKIP

    def _button(self, node: Any, attributes: Attributes) -> Any:
        if not self.writer.heading and controls.is_mere_button(node):
            return _SKIP
        self.writer.raw(GAP)
        return lambda: self.writer.raw(GAP)

    def _apart(self, text: str) -> None:
        """Adds text that does not belong to the words beside it."""
        self.writer.raw(GAP)
        self.writer.text(text)
        self.writer.raw(GAP)


_SPECIAL: dict[str, Callable[[Renderer, Any, Attributes], Any]] = {
    "br": Renderer._break,
    "ul": Renderer._list,
    "ol": Renderer._list,
    "menu": Renderer._list,
    "dir": Renderer._list,
    "li": Renderer._item,
    "dd": Renderer._definition,
    "blockquote": Renderer._quote,
    "q": Renderer._inline_quote,
    "del": Renderer._struck,
    "s": Renderer._struck,
    "strike": Renderer._struck,
    "sup": Renderer._sup,
    "sub": Renderer._sub,
    "span": Renderer._span,
    "font": Renderer._span,
    "ruby": Renderer._ruby,
    "math": Renderer._math,
    "img": Renderer._picture,
    "svg": Renderer._svg,
    "a": Renderer._link,
    "pre": Renderer._pre,
    "listing": Renderer._pre,
    "xmp": Renderer._pre,
    "plaintext": Renderer._pre,
    "table": Renderer._table,
    "td": Renderer._table_cell,
    "th": Renderer._table_cell,
    "input": Renderer._control,
    "select": Renderer._control,
    "button": Renderer._button,
}
