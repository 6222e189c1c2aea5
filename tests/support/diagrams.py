"""Writes small Visio drawings and XMind maps for tests."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from typing import Any

_VISIO = "http://schemas.microsoft.com/visio/2010/relationships/"
_MAIN = 'xmlns="http://schemas.microsoft.com/office/visio/2012/main"'
_R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
_RELATIONS = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'


def visio(pages: Sequence[tuple[str, str]]) -> bytes:
    """A drawing of pages: a name, and the text of a shape or the XML of shapes."""
    listed, related = "", ""
    parts = {
        "_rels/.rels": _relations(("r1", "document", "visio/document.xml")),
        "visio/document.xml": f"<VisioDocument {_MAIN}/>",
        "visio/_rels/document.xml.rels": _relations(("r1", "pages", "pages/pages.xml")),
    }
    for at, (name, shapes) in enumerate(pages, 1):
        listed += f'<Page ID="{at}" Name="{name}"><Rel r:id="r{at}"/></Page>'
        related += f'<Relationship Id="r{at}" Type="{_VISIO}page" Target="page{at}.xml"/>'
        shapes = shapes if shapes.startswith("<") else f'<Shape ID="1"><Text>{shapes}\n</Text></Shape>'
        parts[f"visio/pages/page{at}.xml"] = f"<PageContents {_MAIN}><Shapes>{shapes}</Shapes></PageContents>"
    parts["visio/pages/pages.xml"] = f"<Pages {_MAIN} {_R}>{listed}</Pages>"
    parts["visio/pages/_rels/pages.xml.rels"] = f"<Relationships {_RELATIONS}>{related}</Relationships>"
    return _packed(parts)


def xmind(topic: dict[str, Any]) -> bytes:
    """A map of one sheet with a main topic, in the form of XMind 2020 and later."""
    sheets = [{"class": "sheet", "title": "Sheet", "rootTopic": topic}]
    return _packed(
        {"content.json": json.dumps(sheets), "metadata.json": "{}", "content.xml": "<xmap-content/>"}
    )


def old_xmind(topic: str) -> bytes:
    """A map of one sheet, in the form of XMind 8."""
    return _packed({"content.xml": f'<xmap-content xmlns="urn:x"><sheet>{topic}</sheet></xmap-content>'})


def _relations(*relations: tuple[str, str, str]) -> str:
    nodes = "".join(
        f'<Relationship Id="{key}" Type="{_VISIO}{kind}" Target="{target}"/>'
        for key, kind, target in relations
    )
    return f"<Relationships {_RELATIONS}>{nodes}</Relationships>"


def _packed(parts: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()
