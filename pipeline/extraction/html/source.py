"""Makes the source of a page fit for an HTML parser: what only XML knows, and what only a browser does. Pure."""

from __future__ import annotations

import html
import re

from pipeline.extraction import html_nesting

_SELF_CLOSED = re.compile(r"<([A-Za-z_][\w:.-]*)((?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*)/>")
_VOID_NAMES = """area base br col embed hr img input link meta param source track wbr frame"""
_VOID = frozenset(_VOID_NAMES.split())
_CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
_RAW_ELEMENT = re.compile(r"(<(script|style)\b[^>]*>)(.*?)(</\2\s*>)", re.DOTALL | re.IGNORECASE)
_DOCTYPE = re.compile(r"<!DOCTYPE[^\[>]*\[(.*?)\]\s*>", re.DOTALL | re.IGNORECASE)
_ENTITY = re.compile(r"<!ENTITY\s+([\w.-]+)\s+(?:\"([^\"]{0,1000})\"|'([^']{0,1000})')\s*>")
_FILE_ENTITY = re.compile(r"<!ENTITY\s+([\w.-]+)\s+(?:SYSTEM|PUBLIC)\b")
_MAX_ENTITY_TEXT = 1_000_000  # characters that a page's own entities may add
_XML_DECLARATION = re.compile(r"\s*<\?xml\b")
_XHTML = re.compile(
    r"<(?:\w+:)?html\b[^>]{0,2000}xmlns(?::\w+)?\s*=\s*[\"']http://www\.w3\.org/1999/xhtml", re.IGNORECASE
)
_XHTML_PREFIX = re.compile(r"xmlns:(\w+)\s*=\s*[\"']http://www\.w3\.org/1999/xhtml[\"']")
_SHADOW = re.compile(r"<template\b[^>]*\bshadowroot(?:mode)?\s*=|</template|<template\b", re.IGNORECASE)


def prepared(page: str, xml: bool | None = None) -> str:
    """The source for the parser; `xml` says whether it is XML (None: it is asked itself)."""
    if xml is None:
        xml = _XML_DECLARATION.match(page, 0, 1000) is not None and _XHTML.search(page, 0, 20_000) is not None
    if xml:
        page = _without_xml(page)
    if "shadowroot" in page:
        page = _with_shadow_roots(page)
    return html_nesting.flatten(page)


def without_declarations(text: str) -> str:
    """XML without its document type and CDATA sections; the entities that it declares itself are put in."""
    if found := _DOCTYPE.search(text, 0, 200_000):
        text = text[: found.start()] + _with_entities(text[found.end() :], found[1])
    closed = text.rfind("]]>") + 3  # no search goes beyond, so the time is linear
    return _CDATA.sub(lambda found: html.escape(found[1], quote=False), text[:closed]) + text[closed:]


def file_entities(text: str) -> set[str]:
    """The names of the entities that stand for other files."""
    found = _DOCTYPE.search(text, 0, 200_000)
    return set(_FILE_ENTITY.findall(found[1])) if found else set()


def _without_xml(page: str) -> str:
    page = _SELF_CLOSED.sub(_opened_and_closed, page)
    closed = max(page.lower().rfind("</script"), page.lower().rfind("</style"))
    page = _RAW_ELEMENT.sub(r"\1\4", page[: closed + 9]) + page[closed + 9 :] if closed >= 0 else page
    page = without_declarations(page)
    if prefix := _XHTML_PREFIX.search(page, 0, 20_000):
        page = re.sub(rf"(</?){re.escape(prefix[1])}:", r"\1", page)
    return page


def _opened_and_closed(tag: re.Match[str]) -> str:
    name = tag[1]
    return tag[0] if name.lower() in _VOID else f"<{name}{tag[2]}></{name}>"


def _with_entities(page: str, declarations: str) -> str:
    """The page with the entities that it declares itself, none of which may hold another one."""
    room = _MAX_ENTITY_TEXT
    for name, double, single in _ENTITY.findall(declarations)[:500]:
        value = double or single
        times = page.count(f"&{name};")
        room -= times * len(value)
        if times and room >= 0:
            page = page.replace(f"&{name};", value)
    return page


def _with_shadow_roots(page: str) -> str:
    """The templates that a browser shows, since they are the shadow root of an element, as ordinary elements."""
    shown: list[bool] = []

    def element(tag: re.Match[str]) -> str:
        if tag[0].startswith("</"):
            return "</div" if shown and shown.pop() else tag[0]
        shown.append("shadowroot" in tag[0])
        return "<div " + tag[0][len("<template") :] if shown[-1] else tag[0]

    return _SHADOW.sub(element, page)
