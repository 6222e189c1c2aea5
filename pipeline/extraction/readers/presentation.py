"""Presentations slide by slide, in the order of the show. Runs in the worker processes."""

from __future__ import annotations

from pipeline.extraction.content import Content
from pipeline.extraction.formats import Format
from pipeline.extraction.odf import OpenDocument
from pipeline.extraction.opc import Package
from pipeline.extraction.presentations import odp, pptx


class PresentationReader:
    """Each slide of a PowerPoint presentation as a page of Markdown, with its speaker's notes."""

    name = "presentation"
    version = 2
    libraries = ()

    def read(self, data: bytes, detected: Format) -> Content:
        return pptx.read(Package(data))


class OpenPresentationReader:
    """OpenDocument presentations, packed or flat."""

    name = "open_presentation"
    version = 1
    libraries = ()

    def read(self, data: bytes, detected: Format) -> Content:
        return odp.read(OpenDocument(data))
