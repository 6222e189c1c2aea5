"""Writes Word and OpenDocument files from pieces of XML, and reads them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

from pipeline.extraction import formats
from pipeline.extraction.content import Content
from pipeline.extraction.format_reader import READERS

_OPENXML = "http://schemas.openxmlformats.org"
NAMESPACES = {
    "w": f"{_OPENXML}/wordprocessingml/2006/main",
    "r": f"{_OPENXML}/officeDocument/2006/relationships",
    "m": f"{_OPENXML}/officeDocument/2006/math",
    "mc": f"{_OPENXML}/markup-compatibility/2006",
    "wp": f"{_OPENXML}/drawingml/2006/wordprocessingDrawing",
    "a": f"{_OPENXML}/drawingml/2006/main",
    "c": f"{_OPENXML}/drawingml/2006/chart",
    "dgm": f"{_OPENXML}/drawingml/2006/diagram",
    "pic": f"{_OPENXML}/drawingml/2006/picture",
    "wps": "http://schemas.microsoft.com/office/word/2010/wordprocessingShape",
    "v": "urn:schemas-microsoft-com:vml",
}
_ROOTS = {
    "styles": "styles", "numbering": "numbering", "settings": "settings", "footnotes": "footnotes",
    "endnotes": "endnotes", "comments": "comments",
}  # fmt: skip
_OASIS = "urn:oasis:names:tc:opendocument:xmlns:"
_ODF = {
    "office": f"{_OASIS}office:1.0",
    "text": f"{_OASIS}text:1.0",
    "table": f"{_OASIS}table:1.0",
    "style": f"{_OASIS}style:1.0",
    "draw": f"{_OASIS}drawing:1.0",
    "svg": f"{_OASIS}svg-compatible:1.0",
    "fo": f"{_OASIS}xsl-fo-compatible:1.0",
    "meta": f"{_OASIS}meta:1.0",
    "chart": f"{_OASIS}chart:1.0",
    "dc": "http://purl.org/dc/elements/1.1/",
    "xlink": "http://www.w3.org/1999/xlink",
}


def paragraph(text: str, properties: str = "") -> str:
    """A Word paragraph of one run."""
    return f'<w:p>{properties}<w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'


def docx(
    body: str,
    *,
    main: str = "word/document.xml",
    linked: Mapping[str, tuple[str, str | bytes]] | None = None,
    strict: bool = False,
    **parts: str,
) -> bytes:
    """A Word document. `parts` are the inner XML of its styles, numbering, settings, footnotes, endnotes, comments.

    linked: by relation id, (kind, content) of further parts: XML without namespaces, or bytes as they are.
    """
    folder, _, name = main.rpartition("/")
    relations, files = [], {}
    for kind, inner in parts.items():
        files[f"{folder}/{kind}.xml"] = _xml(f"w:{_ROOTS[kind]}", inner, NAMESPACES)
        relations.append((f"own{kind}", kind, f"{kind}.xml"))
    for number, (key, (kind, content)) in enumerate((linked or {}).items()):
        kind, _, suffix = kind.partition(".")
        target = f"part{number}.{suffix or 'xml'}"
        relations.append((key, kind, target))
        files[f"{folder}/{target}"] = (
            content if isinstance(content, bytes) else _declared(content, NAMESPACES)
        )
    files[main] = _xml("w:document", f"<w:body>{body}</w:body>", NAMESPACES)
    files[f"{folder}/_rels/{name}.rels"] = _relations(relations)
    files["_rels/.rels"] = _relations(
        [("rId1", "officeDocument", main), ("rId2", "core-properties", "core.xml")]
    )
    files["core.xml"] = (
        '<p xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/">'
        "<dc:title>The papers</dc:title><dc:creator>Ida Brook</dc:creator>"
        "<dcterms:modified>2024-05-06T07:08:09Z</dcterms:modified></p>"
    )
    files["[Content_Types].xml"] = (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        f'<Override PartName="/{main}" ContentType="application/vnd.openxmlformats-officedocument.'
        'wordprocessingml.document.main+xml"/></Types>'
    )
    if strict:
        files = {key: _strict(text) if isinstance(text, str) else text for key, text in files.items()}
    return packed(files)


def odt(body: str, *, styles: str = "", automatic: str = "", **files: str | bytes) -> bytes:
    """An OpenDocument text; `styles` is the inner XML of styles.xml, `automatic` that of the automatic styles."""
    content = (
        f"<office:automatic-styles>{automatic}</office:automatic-styles><office:body><office:text>{body}"
    )
    return packed(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "content.xml": _xml("office:document-content", f"{content}</office:text></office:body>", _ODF),
            "styles.xml": _xml("office:document-styles", styles, _ODF),
            "META-INF/manifest.xml": f'<manifest xmlns="{_OASIS}manifest:1.0"/>',
            **{name.replace("__", "/").replace("_xml", ".xml"): text for name, text in files.items()},
        }
    )


def flat_odt(body: str, automatic: str = "") -> bytes:
    """The same in one XML file."""
    inner = f"<office:automatic-styles>{automatic}</office:automatic-styles><office:body><office:text>{body}"
    kind = 'office:mimetype="application/vnd.oasis.opendocument.text"'
    return _xml("office:document", f"{inner}</office:text></office:body>", _ODF, kind).encode()


def packed(files: Mapping[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def content_of(data: bytes, suffix: str = ".docx") -> Content:
    """What the reader for the detected format finds."""
    detected = formats.detect(data, suffix)
    return READERS[detected.mime].read(data, detected)


def text_of(data: bytes, suffix: str = ".docx") -> str:
    content = content_of(data, suffix)
    assert content.warnings == ()
    return content.text


def _xml(root: str, inner: str, namespaces: Mapping[str, str], attributes: str = "") -> str:
    declared = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in namespaces.items())
    return f'<?xml version="1.0" encoding="UTF-8"?><{root} {declared} {attributes}>{inner}</{root}>'


def _declared(xml: str, namespaces: Mapping[str, str]) -> str:
    declared = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in namespaces.items())
    end = min(at for at in (xml.find(">"), xml.find("/>"), xml.find(" ")) if at > 0)
    return f"{xml[:end]} {declared}{xml[end:]}"


def _relations(relations: list[tuple[str, str, str]]) -> str:
    base = f"{_OPENXML}/officeDocument/2006/relationships"
    nodes = (f'<Relationship Id="{key}" Type="{base}/{kind}" Target="{to}"/>' for key, kind, to in relations)
    return f'<Relationships xmlns="{_OPENXML}/package/2006/relationships">{"".join(nodes)}</Relationships>'


def _strict(text: str) -> str:
    for kind in ("wordprocessingml", "officeDocument", "drawingml"):
        text = text.replace(f"{_OPENXML}/{kind}/2006/", f"http://purl.oclc.org/ooxml/{kind}/")
    return text
