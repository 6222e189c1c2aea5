"""Writes small Office Open XML packages for tests: parts, and the relations between them."""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Mapping, Sequence

_OPENXML = "http://schemas.openxmlformats.org/"
NAMESPACES = (
    f'xmlns="{_OPENXML}spreadsheetml/2006/main" xmlns:r="{_OPENXML}officeDocument/2006/relationships" '
    f'xmlns:a="{_OPENXML}drawingml/2006/main" xmlns:p="{_OPENXML}presentationml/2006/main" '
    f'xmlns:c="{_OPENXML}drawingml/2006/chart" xmlns:dgm="{_OPENXML}drawingml/2006/diagram" '
    f'xmlns:xdr="{_OPENXML}drawingml/2006/spreadsheetDrawing" xmlns:mc="{_OPENXML}markup-compatibility/2006"'
)
_CORE = (
    '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/">'
    "<dc:title>{title}</dc:title><dc:creator>{author}</dc:creator><dcterms:modified>{date}</dcterms:modified>"
    "</cp:coreProperties>"
)


def element(tag: str, content: str, attributes: str = "") -> str:
    """The root element of a part, with the common namespaces."""
    return f"<{tag} {NAMESPACES} {attributes}>{content}</{tag}>"


def package(
    main: str,
    parts: Mapping[str, str | bytes],
    relations: Mapping[str, Sequence[tuple[str, str, str]]],
    about: tuple[str, str, str] = ("", "", ""),
) -> bytes:
    """A package; `relations`: part -> (id, kind, name of the other part). `about`: title, author, date."""
    buffer = io.BytesIO()
    core = _CORE.format(title=about[0], author=about[1], date=about[2])
    roots = [("rId1", "officeDocument", main), ("rId2", "core-properties", "docProps/core.xml")]
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        for part, found in {"": roots, **relations}.items():
            folder, name = posixpath.split(part)
            archive.writestr(posixpath.join(folder, "_rels", f"{name}.rels"), _relations(found))
        for name, content in {"docProps/core.xml": core, **parts}.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _relations(found: Sequence[tuple[str, str, str]]) -> str:
    kinds = f"{_OPENXML}officeDocument/2006/relationships/"
    nodes = "".join(
        f'<Relationship Id="{key}" Type="{kinds}{kind}" Target="/{target}"/>' for key, kind, target in found
    )
    return f'<Relationships xmlns="{_OPENXML}package/2006/relationships">{nodes}</Relationships>'
