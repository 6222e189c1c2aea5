"""Puts recognised texts at their pages into what a reader has found. Pure; runs in the worker processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pipeline.extraction import markdown
from pipeline.extraction.content import WORD, Content


@dataclass(frozen=True)
class Pictures:
    """What is known of a file's pages without text: the recognised `texts` by page number, empty where there is none.

    `reason` completes "This is a PNG image; …." for a file whose text was not recognised, `warnings` are sentences on
    the recognition. With `required`, such a file is failed and not skipped.
    """

    texts: Mapping[int, str] = field(default_factory=dict)
    reason: str = "text in pictures is not read"
    warnings: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True)
class Merged:
    """A content with recognised texts: on the pages `recognised`. Nobody has tried the pages `untried`."""

    content: Content
    recognised: tuple[int, ...]
    untried: tuple[int, ...]


def with_page_texts(content: Content, pictures: Pictures) -> Merged:
    """The content with the texts of those of its pages that have none."""
    wanted = content.pages_without_text
    texts = {number: pictures.texts[number].strip() for number in wanted if number in pictures.texts}
    recognised = tuple(number for number, text in texts.items() if WORD.search(text))
    untried = tuple(number for number in wanted if number not in texts)
    if not texts:
        return Merged(content, (), untried)
    if content.markdown:
        texts = {number: markdown.literal(text) for number, text in texts.items()}
    left = tuple(number for number in wanted if number not in recognised)
    merged = replace(
        _merged(content, {number: texts[number] for number in recognised}),
        pages_without_text=left,
        warnings=(*content.warnings, *pictures.warnings),
    )
    return Merged(merged, recognised, untried)


def _merged(content: Content, texts: Mapping[int, str]) -> Content:
    if not content.pages and len(content.pages_without_text) == 1:  # a picture, which has no pages
        return replace(content, text="\n\n".join(filter(None, [content.text.strip(), *texts.values()])))
    bodies = _bodies(content)
    for number, text in texts.items():
        bodies[number] = "\n\n".join(filter(None, [bodies.get(number, "").strip(), text]))
    before = content.text[: content.pages[0][1]].strip() if content.pages else ""
    parts, pages = ([before] if before else []), []
    offset = len(before) + 2 if before else 0
    for number in sorted(bodies):
        pages.append((number, offset))
        if body := bodies[number]:
            parts.append(body)
            offset += len(body) + 2
    return replace(content, text="\n\n".join(parts), pages=tuple(pages))


def _bodies(content: Content) -> dict[int, str]:
    """The texts of the pages by their numbers, the pages without text included."""
    bodies = dict.fromkeys(content.pages_without_text, "")
    starts = [start for _, start in content.pages]
    for (number, start), end in zip(content.pages, [*starts[1:], len(content.text)], strict=True):
        bodies[number] = content.text[start:end].strip("\n")
    return bodies
