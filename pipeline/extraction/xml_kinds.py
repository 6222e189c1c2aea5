"""Which vocabulary an XML file is written in, by its first element. Pure; runs in the worker processes."""

from __future__ import annotations

import re

from pipeline.extraction.file_format import Format

_SAMPLE = 65_536  # bytes from the beginning: a license may stand before the first element
_PROLOG = re.compile(
    rb"(?:\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>)*", re.DOTALL | re.IGNORECASE
)
_ROOT = re.compile(rb"<(?:[\w.-]+:)?([A-Za-z][\w.-]*)([^>]{0,4000})")
_DOCBOOK_NAMES = b"""book article chapter appendix preface part set section sect1 sect2 sect3 refentry reference
    glossary bibliography refsect1 refsect2 refsection topic simplesect colophon dedication table
    informaltable note tip warning caution important para simpara formalpara variablelist
    itemizedlist orderedlist procedure glosslist figure example legalnotice abstract bookinfo
    articleinfo"""
_DOCBOOK_ROOTS = frozenset(_DOCBOOK_NAMES.split())
_JATS_ROOTS = (b"article", b"book", b"book-part-wrapper")
_JATS_MARK = re.compile(rb"//NLM//DTD (?:JATS|BITS|Journal|Book)|jats\.nlm\.nih\.gov")
_DOCBOOK_MARKS = (b"//DTD DocBook", b"docbook.org/ns/docbook")

FICTION_BOOK = Format("application/x-fictionbook+xml", "a FictionBook")
DOCBOOK = Format("application/docbook+xml", "a DocBook document")
JATS = Format("application/jats+xml", "a journal article")
TEI = Format("application/tei+xml", "a TEI text")
_XHTML = Format("text/html", "an HTML page")


def vocabulary(data: bytes) -> Format | None:
    """The format of XML that has a reader of its own; None for all other XML."""
    sample = data[:_SAMPLE]
    if sample[:2] in (b"\xff\xfe", b"\xfe\xff"):
        sample = sample.decode("utf-16", "ignore").encode()
    sample = sample.removeprefix(b"\xef\xbb\xbf")
    prolog = _PROLOG.match(sample)
    root = _ROOT.match(sample, prolog.end() if prolog else 0)
    if root is None:
        return None
    if root[1] == b"FictionBook":
        return FICTION_BOOK
    if root[1].lower() == b"html":
        return _XHTML
    declared = sample[: root.end()]
    if root[1] in (b"TEI", b"TEI.2", b"teiCorpus"):
        return TEI
    if root[1] in _JATS_ROOTS and (_JATS_MARK.search(declared) or b"<article-meta" in sample):
        return JATS
    if root[1] in _DOCBOOK_ROOTS and (
        any(mark in declared for mark in _DOCBOOK_MARKS) or b"</para" in sample
    ):
        return DOCBOOK
    return None
