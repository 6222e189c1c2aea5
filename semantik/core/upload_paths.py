"""The paths of uploaded documents: `uploads:<collection id>/<SHA-256 of the content>/<name>`. Pure.

Such a path means the same on every server, wherever its data folder is, and can never be that of a file on the disk,
since it does not begin with a slash. The contents are files below the data folder, which no other path leads to.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from semantik.core.errors import Invalid
from semantik.core.passed_over import is_passed_over

_SCHEME = "uploads:"
_PATH = re.compile(r"uploads:([^/]+)/([0-9a-f]{64})/([^/]+)", re.DOTALL)
_CONTENT = re.compile(r"uploads:[^/]+/[0-9a-f]{64}")
_SHOWN = re.compile(r"^uploads:[^/]*(/[0-9a-f]{64})?")
_MAX_NAME_BYTES = 255


def source_path(collection_id: str) -> str:
    """The path of the source that holds a collection's uploads."""
    return f"{_SCHEME}{collection_id}"


def is_upload(path: str) -> bool:
    """Whether this is the path of an uploaded document, or of the source that holds them."""
    return path.startswith(_SCHEME)


def upload_path(collection_id: str, content: str, name: str) -> str:
    """The path of an uploaded document; `content` is the SHA-256 of its bytes, in hexadecimal digits."""
    return f"{source_path(collection_id)}/{content}/{name}"


def content_of(path: str) -> str | None:
    """The SHA-256 that the path of an uploaded document names; None for every other path."""
    found = _PATH.fullmatch(path)
    return found[2] if found else None


def is_content(path: str) -> bool:
    """Whether this is a path of an uploaded document without its name: the ids are nobody's folder."""
    return _CONTENT.fullmatch(path) is not None


def shown_path(path: str) -> str:
    """A path as people read it: that of an uploaded document without ids, as on the page."""
    return _SHOWN.sub("Uploaded files", path)


def content_file(folder: Path, content: str) -> Path:
    """Where the content lies below the folder of uploads."""
    return folder / "contents" / content[:2] / content


def uploads_folder(data: Path) -> Path:
    """The folder of uploads in a data folder."""
    return data / "uploads"


def file_name(given: str) -> str:
    """The name of a file as a client sends it, without the folders before it. Raises Invalid for what is no name."""
    name = unicodedata.normalize("NFC", given.replace("\\", "/").rpartition("/")[2]).strip()
    if not name or name in (".", ".."):
        raise Invalid("The file has no name: send one, such as report.pdf.")
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in name):
        raise Invalid("The name of the file holds a control character or half a character: rename it.")
    if len(name.encode()) > _MAX_NAME_BYTES:
        raise Invalid(f"The name of the file has more than {_MAX_NAME_BYTES} bytes: shorten it.")
    if is_passed_over(name):
        raise Invalid(f"{name} is a file that programs leave behind, and no document.")
    return name
