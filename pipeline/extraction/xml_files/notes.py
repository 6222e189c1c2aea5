"""Notes and mind maps: the exports of Evernote, and the files of FreeMind and Freeplane. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from xml.etree.ElementTree import Element

from pipeline.extraction import markdown
from pipeline.extraction.html.pieces import piece_to_markdown
from pipeline.extraction.xml_files.elements import (
    child,
    child_text,
    name_of,
    one_line,
    serialized,
    text_of,
)

# Elements of Evernote that an HTML parser does not know to be empty.
_TODO = re.compile(r"<en-todo\b([^>]*?)/?>(?:\s*</en-todo>)?")
_NO_TEXT = re.compile(r"<en-media\b[^>]*?(?:/>|>\s*</en-media>)|<en-crypt\b.*?</en-crypt>", re.DOTALL)
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)\d*Z?\Z")


def evernote(root: Element) -> Iterator[str]:
    """Each note below its title, with its date, tags, author and source, and the names of its files."""
    for note in root:
        if name_of(note) != "note":
            continue
        yield f"## {one_line(child_text(note, 'title')) or '…'}"
        attributes = child(note, "note-attributes")
        facts = [_TIME.sub(r"\1-\2-\3 \4:\5", child_text(note, "created"))]
        facts += [text_of(each) for each in note if name_of(each) == "tag"]
        if attributes is not None:
            facts += [child_text(attributes, "author"), child_text(attributes, "source-url")]
        yield ", ".join(fact for fact in facts if fact)
        content = child(note, "content")
        yield markdown.demoted(markdown.demoted(_page((content.text or "") if content is not None else "")))
        yield "\n".join(each.text or "" for each in note.iter() if name_of(each) == "file-name")


def _page(source: str) -> str:
    source = _TODO.sub(lambda found: "☑ " if "true" in found[1] else "☐ ", _NO_TEXT.sub("", source))
    return piece_to_markdown(source)


def mind_map(root: Element) -> Iterator[str]:
    """The nodes as a list, each with its details and notes."""

    def lines(node: Element, depth: int) -> Iterator[str]:
        for each in node:
            if name_of(each) == "node":
                label, *more = _node_texts(each) or [""]
                indent = "  " * min(depth, 10)
                yield f"{indent}- {label}" if label else ""
                yield from (f"{indent}  {text}" for text in more)
                yield from lines(each, depth + 1)

    for first in root:
        if name_of(first) == "node":
            label, *more = _node_texts(first) or [""]
            yield f"# {label}" if label else ""
            yield "\n".join(more)
            yield "\n".join(line for line in lines(first, 0) if line)


def _node_texts(node: Element) -> list[str]:
    texts = [one_line(node.get("TEXT") or "")]
    for each in node:
        if name_of(each) == "richcontent":
            shown = " ".join(piece_to_markdown("".join(serialized(part) for part in each)).split())
            is_label = each.get("TYPE") == "NODE"
            texts = [shown or texts[0], *texts[1:]] if is_label else [*texts, shown]
        elif name_of(each) == "attribute":
            texts.append(f"{each.get('NAME', '')}: {each.get('VALUE', '')}")
    return [texts[0], *(text for text in texts[1:] if text)]


def _mind_map_title(root: Element) -> str | None:
    first = child(root, "node")
    return (_node_texts(first)[0] or None) if first is not None else None


def _evernote_title(root: Element) -> str | None:
    """That of the only note; an export of more notes goes by its name."""
    only = root[0] if len(root) == 1 else None
    return (child_text(only, "title") or None) if only is not None else None


TITLES: dict[str, Callable[[Element], str | None]] = {"map": _mind_map_title, "en-export": _evernote_title}
