"""Presentations slide by slide, in the order of the show. Runs in the worker processes."""

from __future__ import annotations

from pipeline.extraction.content import Content
from pipeline.extraction.formats import Format
from pipeline.extraction.odf import OpenDocument
from pipeline.extraction.opc import Package
from pipeline.extraction.presentations import odp, ppt, pptx, visio


class PresentationReader:
    """Each slide of a PowerPoint presentation as a page of Markdown, with its speaker's notes."""

    def read(self, data: bytes, detected: Format) -> Content:
        return pptx.read(Package(data))


class OpenPresentationReader:
    """OpenDocument presentations and drawings, packed or flat."""

    def read(self, data: bytes, detected: Format) -> Content:
        kind = "drawing" if detected.mime.endswith("graphics") else "presentation"
        return odp.read(OpenDocument(data), kind)


class VisioReader:
    """Visio drawings of 2013 and later, each page as one."""

    def read(self, data: bytes, detected: Format) -> Content:
        return visio.read(Package(data))


class OldPresentationReader:
    """PowerPoint presentations of before 2007."""

    def read(self, data: bytes, detected: Format) -> Content:
        return ppt.read(data)
