"""Files of every kind, and what the extractor makes of them."""

from __future__ import annotations

import base64
import io
import random
import zipfile
from pathlib import Path

import pypdf
from support.server import SAMPLES

from pipeline.extraction import extract as extracting
from pipeline.extraction.extract import Extracted, Places

LIMIT = 1 << 20
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
NOISE = random.Random(7).randbytes(20_000)
PDF = (SAMPLES / "power-and-heating.pdf").read_bytes()
DOCX = (SAMPLES / "telescope-procedures.docx").read_bytes()


def extract(path: str, size_limit: int) -> Extracted:
    return extracting.extract(path, extracting.read(path, size_limit, Places(("/",), ())), size_limit)


def file(folder: Path, name: str, data: bytes) -> str:
    (folder / name).write_bytes(data)
    return str(folder / name)


def sample(name: str) -> Extracted:
    return extract(str(SAMPLES / name), LIMIT)


def by_page(found: Extracted) -> dict[int, str]:
    ends = [start for _, start in found.pages[1:]] + [len(found.text)]
    return {number: found.text[start:end] for (number, start), end in zip(found.pages, ends, strict=True)}


def encrypted(password: str, owner: str | None = None) -> bytes:
    writer = pypdf.PdfWriter(clone_from=str(SAMPLES / "power-and-heating.pdf"))
    writer.encrypt(password, owner, algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def zipped(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), text)
    return buffer.getvalue()
