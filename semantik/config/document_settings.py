"""The settings of documents: what may be read from the disk, how much of it, and what of it is read.

Part of `Settings`; see `settings.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from semantik.config.fields import ANY, at_least, each, globs, one_of, reloadable
from semantik.core.path_metadata import TEMPLATES, is_template

_MIB = 1 << 20


@dataclass(frozen=True)
class DocumentSettings:
    """What may be read from the disk, and how much of it."""

    roots: tuple[str, ...] = reloadable(
        [],
        each(lambda path: path.startswith("/") and "\0" not in path, "a list of absolute paths"),
        "Folders below which documents may be read, symlinks resolved; empty: those chosen at the first start.",
    )
    exclude: tuple[str, ...] = reloadable(
        [".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv"],
        globs,
        "Names (globs) that a scan skips.",
    )
    max_file_bytes: int = reloadable(
        100 * _MIB, at_least(1), "A larger file is marked failed, category too_large."
    )
    max_output_bytes: int = reloadable(
        256 * _MIB,
        at_least(1 << 16),
        "A file whose text and what belongs to it take more is marked failed, category too_large.",
    )
    max_container_bytes: int = reloadable(
        10_240 * _MIB,
        at_least(1),
        "A larger archive or mailbox is marked failed; of one that unpacks to more, the rest is left out.",
    )
    max_container_parts: int = reloadable(
        100_000,
        at_least(1),
        "Documents in one archive or mailbox; those that follow are left out, with a warning.",
    )
    max_files: int = reloadable(1_000_000, at_least(1), "A scan stops at this many files, with a warning.")
    missing: str = reloadable(
        "remove", one_of("remove", "keep"), "Documents whose files are gone: remove deletes, keep marks them."
    )
    outdated: str = reloadable(
        "reread",
        one_of("reread", "keep"),
        "Documents that another version of their reader has read: a scan rereads them, or keeps them.",
    )
    file_timeout_s: float = reloadable(
        120.0, at_least(0.1), "A file that takes the extractor longer is marked failed, category timeout."
    )
    ocr: str = reloadable(
        "auto",
        one_of("auto", "off", "on"),
        "Whether text in pictures is recognised: auto does where tesseract is installed, on requires it.",
    )
    ocr_languages: tuple[str, ...] = reloadable(
        [],
        each(
            lambda code: re.fullmatch(r"[A-Za-z0-9_]+(/[A-Za-z0-9_]+)?", code) is not None,
            'a list of tesseract\'s languages (as ["eng", "deu"])',
        ),
        "Languages of recognised text, by tesseract's codes; empty: the installed ones.",
    )
    ocr_page_timeout_s: float = reloadable(
        60.0, at_least(1), "A page whose recognition takes longer is left without text, with a warning."
    )
    path_metadata: tuple[str, ...] = reloadable(
        [],
        each(is_template, TEMPLATES),
        "What the end of a path says of a document: templates with {title}, {author}, {date}, {language}, {tag}, *.",
    )
    hidden_sheets: bool = reloadable(
        False, ANY, "Whether the hidden sheets, rows and columns of a spreadsheet are read."
    )
