"""Writes small PDF files: pages of drawing operators, annotations and form fields, without a library."""

from __future__ import annotations

from collections.abc import Sequence


def text(x: float, y: float, written: str, size: float = 12) -> str:
    """The operators that draw a text of Latin-1 with its base line at a place, in points."""
    escaped = written.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return f"BT /F1 {size} Tf 1 0 0 1 {x} {y} Tm ({escaped}) Tj ET\n"


def pdf(
    pages: Sequence[str],
    *,
    annotations: Sequence[str] = (),
    page: str = "",
    catalog: str = "",
    objects: Sequence[str] = (),
    info: str = "",
) -> bytes:
    """A PDF file of A4 pages with Helvetica as /F1.

    annotations: dictionaries of annotations of the first page. page: entries of every page's dictionary. catalog:
    entries of the catalog. objects: further objects, the first of which is number 10. info: entries of the information
    dictionary.
    """
    numbered: dict[int, str] = {
        1: f"<< /Type /Catalog /Pages 2 0 R {catalog} >>",
        3: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        4: f"<< {info} >>",
    }
    numbered |= dict(enumerate(objects, 10))
    following = 10 + len(objects)
    kids, notes = [], []
    for annotation in annotations:
        numbered[following] = annotation
        notes.append(f"{following} 0 R")
        following += 1
    for at, operators in enumerate(pages):
        resources = "" if "/Resources" in page else "/Resources << /Font << /F1 3 0 R >> >>"
        annots = f"/Annots [{' '.join(notes)}]" if notes and at == 0 else ""
        numbered[following] = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] {resources} "
            f"/Contents {following + 1} 0 R {annots} {page} >>"
        )
        numbered[following + 1] = stream(operators)
        kids.append(f"{following} 0 R")
        following += 2
    numbered[2] = f"<< /Type /Pages /Count {len(kids)} /Kids [{' '.join(kids)}] >>"
    return _file(numbered)


def stream(content: str, entries: str = "") -> str:
    """A stream object."""
    return f"<< /Length {len(content.encode('latin-1'))} {entries} >>\nstream\n{content}\nendstream"


def _file(objects: dict[int, str]) -> bytes:
    out = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
    offsets = {}
    for number, body in sorted(objects.items()):
        offsets[number] = len(out)
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    size = max(objects) + 1
    rows = [b"0000000000 65535 f \n"]
    rows += [
        f"{offsets[at]:010} 00000 n \n".encode() if at in offsets else b"0000000000 65535 f \n"
        for at in range(1, size)
    ]
    start = len(out)
    out += f"xref\n0 {size}\n".encode() + b"".join(rows)
    return out + f"trailer\n<< /Size {size} /Root 1 0 R /Info 4 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
