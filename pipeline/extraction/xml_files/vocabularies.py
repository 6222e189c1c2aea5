"""Feeds, outlines, maps and drawings: what a person reads in them. Pure; runs in the worker processes."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from pipeline.extraction import markdown
from pipeline.extraction.html.pieces import piece_to_markdown
from pipeline.extraction.markup import wikitext
from pipeline.extraction.xml_files.elements import (
    child,
    child_text,
    name_of,
    one_line,
    plain,
    readable,
    serialized,
    text_of,
)


def feed(root: Element) -> Iterator[str]:
    """RSS, RDF and Atom: each entry below its title, with its date and author."""
    channel = child(root, "channel")
    head = channel if channel is not None else root
    yield f"# {one_line(child_text(head, 'title'))}"
    yield child_text(head, "description", "subtitle")
    for entry in root.iter():
        if name_of(entry) in ("item", "entry"):
            yield f"## {one_line(child_text(entry, 'title')) or '…'}"
            author = child(entry, "author", "creator")
            facts = [child_text(entry, "pubDate", "published", "updated", "date")]
            facts.append((child_text(author, "name") or readable(author)) if author is not None else "")
            facts += [each.get("term") or readable(each) for each in entry if name_of(each) == "category"]
            yield ", ".join(dict.fromkeys(fact for fact in facts if fact))
            bodies = {child_text(entry, name) for name in ("encoded", "content", "description", "summary")}
            body = max(bodies, key=len)
            yield markdown.demoted(markdown.demoted(body))
            yield from _comments(entry)


def _comments(entry: Element) -> Iterator[str]:
    """What others wrote below an entry, as exports of blogs and of trackers have it."""
    for each in entry.iter():
        if name_of(each) == "comment":
            author = each.get("author") or child_text(each, "comment_author")
            body = child_text(each, "comment_content") or ("" if len(each) else readable(each))
            yield f"{author}: {body}" if author and body else body


def opml(root: Element) -> Iterator[str]:
    title = next((text_of(each) for each in root.iter() if name_of(each) == "title"), "")
    yield f"# {title}" if title else ""
    body = child(root, "body")

    def lines(element: Element, depth: int) -> Iterator[str]:
        for each in element:
            if shown := plain(each.get("text") or each.get("title") or ""):
                note = plain(each.get("_note") or each.get("description") or "")
                yield f"{'  ' * min(depth, 10)}- {shown}{f': {note}' if note else ''}"
            yield from lines(each, depth + 1)

    if body is not None:
        yield "\n".join(lines(body, 0))


def places(root: Element) -> Iterator[str]:
    """GPX and KML: names, descriptions and comments, without the points."""
    for element in root.iter():
        kind = name_of(element)
        if kind in ("Document", "Folder", "Placemark", "wpt", "rte", "trk", "metadata", "GroundOverlay"):
            name = child_text(element, "name")
            yield f"{'#' if kind in ('Document', 'metadata') else '##'} {one_line(name)}" if name else ""
            for part in ("desc", "cmt", "description", "address", "type", "keywords"):
                yield child_text(element, part)
            data = (each for each in element.iter() if name_of(each) in ("Data", "SimpleData"))
            if kind == "Placemark":
                yield "\n".join(f"{each.get('name', '')}: {text_of(each)}" for each in data if text_of(each))


def wiki(root: Element) -> Iterator[str]:
    """The export of a wiki: the newest version of each page below its title."""
    for page in (each for each in root if name_of(each) == "page"):
        yield f"# {one_line(child_text(page, 'title'))}"
        revisions = [each for each in page if name_of(each) == "revision"]
        text = child(revisions[-1], "text") if revisions else None
        source = (text.text or "") if text is not None else ""
        kind = child_text(revisions[-1], "model") if revisions else ""
        yield wikitext.to_markdown(source) if kind in ("", "wikitext") else markdown.literal(source.strip())


def drawing(root: Element) -> Iterator[str]:
    """SVG: its titles, descriptions and texts, in the order of the file."""
    if name_of(root) in ("title", "desc", "text", "p", "flowPara"):
        yield text_of(root)
    elif name_of(root) == "foreignObject":  # HTML, which drawing programs and Mermaid write for their labels
        yield piece_to_markdown("".join(serialized(each) for each in root))
    elif name_of(root) == "switch" and len(
        root
    ):  # the same text for programs that can show more and that cannot
        yield from drawing(root[0])
    else:
        for each in root:
            yield from drawing(each)
