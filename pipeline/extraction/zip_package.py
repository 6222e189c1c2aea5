"""The ZIP file that an Office or OpenDocument file is: its parts by name, read within bounds. Pure.

Knows nothing of what the parts mean; runs in the worker processes.
"""

from __future__ import annotations

import io
import zipfile
import zlib

from pipeline.extraction.bounded_xml import MAX_BYTES
from pipeline.extraction.content import ExtractError

_MAX_TOTAL = 1 << 30  # bytes read of all parts together, unpacked
_CHUNK = 1 << 20
DAMAGE = (
    zipfile.BadZipFile, zlib.error, LookupError, ValueError,
    NotImplementedError, RuntimeError, OSError, EOFError,
)  # fmt: skip


class ZipPackage:
    """Parts by name; upper and lower case are the same, a backslash is a slash, as some writers have it."""

    def __init__(self, data: bytes) -> None:
        """Raises ExtractError for a damaged ZIP file."""
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
        except DAMAGE as error:
            raise ExtractError("corrupt", "The file is a ZIP file that is damaged.") from error
        self._parts = {_key(each.filename): each for each in self._archive.infolist() if not each.is_dir()}
        self._left = _MAX_TOTAL

    @property
    def names(self) -> list[str]:
        """The names of all parts, in the order of the file, as they are written there."""
        return [each.filename.replace("\\", "/") for each in self._parts.values()]

    def __contains__(self, name: str) -> bool:
        return _key(name) in self._parts

    def read(self, name: str, limit: int = MAX_BYTES) -> bytes:
        """The bytes of a part. Raises ExtractError if it is missing, damaged, locked, or has more than `limit`."""
        part = self._parts.get(_key(name))
        if part is None:
            raise ExtractError("corrupt", f"The file has lost its part {name}.")
        if part.flag_bits & 1:
            raise ExtractError("corrupt", "The file is encrypted and cannot be read without its password.")
        pieces = []
        size = 0
        try:
            with self._archive.open(part) as file:
                while piece := file.read(_CHUNK):
                    size += len(piece)
                    if size > min(limit, self._left):
                        raise ExtractError(
                            "too_large", f"The part {name} of the file unpacks to too much data."
                        )
                    pieces.append(piece)
        except DAMAGE as error:
            raise ExtractError("corrupt", f"The part {name} of the file is damaged.") from error
        self._left -= size
        return b"".join(pieces)


def _key(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").casefold()
