"""Rewrites XML of another vocabulary as HTML, tag by tag, without a parser that damaged files would stop. Pure.

FictionBook and DocBook are read that way: one table of elements each, and the renderer of pages for all the rest.
"""

from __future__ import annotations

import html
import re
from typing import ClassVar

from pipeline.extraction.html import source

_ATTRIBUTES = r"(?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*"
_TOKEN = re.compile(
    rf"<!--.*?(?:-->|\Z)|<\?.*?\?>|<![^<>]*>|<(/?)([A-Za-z_][\w.:-]*)({_ATTRIBUTES}?)(/?)>", re.DOTALL
)
_ATTRIBUTE = re.compile(r"([\w.:-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_UNKNOWN_ENTITY = re.compile(r"&([A-Za-z_][\w.-]{0,60});")

_MAX_DEPTH = 300  # levels; the tags of deeper elements are left out

Pair = tuple[str, str]
"""What is written at the start of an element, and at its end."""

_MATHML = """math mi mo mn mtext mspace mrow mfrac msqrt mroot msup msub msubsup mover munder munderover mmultiscripts
    mprescripts none mtable mtr mlabeledtr mtd mfenced mstyle mpadded menclose mphantom semantics annotation"""
MATHML: dict[str, Pair] = {name: (f"<{name}>", f"</{name}>") for name in _MATHML.split()}


class TagRewriter:
    """The base of a vocabulary: `pairs` for elements that are always written alike, `skipped` for those left out.

    A subclass overrides `start` for what depends on the place. Other elements leave their content only.
    """

    pairs: ClassVar[dict[str, Pair]] = {}
    skipped: ClassVar[frozenset[str]] = frozenset()

    def __init__(self) -> None:
        self.out: list[str] = []
        self.stack: list[str] = []  # the names of the open elements
        self.by_name = 0  # entities that another file defines, and whose names stand for them
        self.included = 0  # references to other files, which are not read with this one
        self._files: set[str] = set()  # the entities that are such files
        self._closings: list[str] = []
        self._note_opens = False  # whether no text of the open note is written

    def rewrite(self, text: str) -> str:
        """The HTML of a whole file."""
        self._files = source.file_entities(text)
        text = source.without_declarations(text)
        at = 0
        skipping = 0
        for token in _TOKEN.finditer(text):
            if not skipping and token.start() > at:
                self.text(text[at : token.start()])
            at = token.end()
            name = token[2]
            if name is None:
                continue
            name = name.rpartition(":")[2]
            if skipping or name in self.skipped:
                skipping = max(0, skipping + (0 if token[4] else -1 if token[1] else 1))
            elif token[1]:
                self._end(name)
            else:
                self._start(name, token[3])
                if token[4]:
                    self._end(name)
        if not skipping:
            self.text(text[at:])
        while self.stack:
            self._end(self.stack[-1])
        return "".join(self.out)

    def start(self, name: str, attributes: str) -> Pair:
        """What an element becomes; `attributes` is the source of its attributes, for `attribute`."""
        return self.pairs.get(name, ("", ""))

    def end(self, name: str) -> None:
        """Called after an element's end is written."""

    def text(self, text: str) -> None:
        """Writes the source of a text."""
        if self._note_opens:
            text = text.lstrip()
            self._note_opens = not text
        self.out.append(_UNKNOWN_ENTITY.sub(self._entity, text) if "&" in text else text)

    def opened_note(self) -> Pair:
        """A note in parentheses at its place; `close_note` is to be called in `end`."""
        self._note_opens = True
        return " (", ")"

    def close_note(self) -> None:
        """Remove the blanks before the closing parenthesis, which was written last."""
        closing = self.out.pop()
        while self.out and not self.out[-1].strip():
            self.out.pop()
        self.out[-1:] = [*(each.rstrip() for each in self.out[-1:]), closing]
        self._note_opens = False

    def inside(self, *names: str) -> bool:
        """Whether one of the elements is open."""
        return any(name in self.stack for name in names)

    def _start(self, name: str, attributes: str) -> None:
        if len(self.stack) >= _MAX_DEPTH:
            return
        opening, closing = self.start(name, attributes)
        self.out.append(opening)
        self.stack.append(name)
        self._closings.append(closing)

    def _end(self, name: str) -> None:
        if name not in self.stack[-100:]:
            return
        while True:
            ended = self.stack.pop()
            self.out.append(self._closings.pop())
            self.end(ended)
            if ended == name:
                return

    def _entity(self, found: re.Match[str]) -> str:
        if html.unescape(found[0]) != found[0]:
            return found[0]
        if found[1] in self._files:
            self.included += 1
            return ""
        self.by_name += 1
        return found[1]


def attribute(attributes: str, name: str) -> str:
    """The value of an attribute whose name, without its prefix, is `name`; empty where there is none."""
    for found in _ATTRIBUTE.finditer(attributes):
        if found[1].rpartition(":")[2] == name:
            return html.unescape(found[2] if found[2] is not None else found[3])
    return ""


_SPANS = ("colspan", "rowspan")


def table_cell(tag: str, attributes: str, names: tuple[str, str] = _SPANS) -> Pair:
    """A cell of a table; `names` are those that the vocabulary has for the columns and the rows that it spans."""
    spans = [(span, attribute(attributes, name)) for span, name in zip(_SPANS, names, strict=True)]
    return f"<{tag}{''.join(f' {span}={value}' for span, value in spans if value.isdigit())}>", f"</{tag}>"
