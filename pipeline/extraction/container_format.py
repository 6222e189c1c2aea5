"""Whether an open file is a container. Looks at its beginning and, in an archive, at the names. Runs in the workers."""

from __future__ import annotations

import zlib
from typing import BinaryIO

from pipeline.extraction import formats
from pipeline.extraction.container_reader import CONTAINERS
from pipeline.extraction.file_format import Condition, Format

_HEAD = 1 << 16
_GZIP_WINDOW = 31  # of zlib: with the header of gzip
_TAR_BLOCK = 512
_TAR_MAGIC = 257
_MARK_AND_BLANKS = 256  # bytes before the first postmark of a mailbox
TAR_GZ = Format("application/x-compressed-tar", "a compressed tar archive")

# Archives that are parts of programs, or documents of another kind.
_OTHER_ZIPS = (
    ".jar", ".war", ".ear", ".aar", ".apk", ".ipa", ".xpi", ".crx", ".whl", ".egg", ".nupkg", ".vsix", ".pages",
    ".numbers", ".key", ".sketch", ".fig", ".kra", ".ora", ".3mf", ".usdz", ".npz", ".pt", ".pth", ".keras",
    ".odg", ".odf", ".odb", ".vsdx", ".xmind", ".cbz",
)  # fmt: skip


def container_format(file: BinaryIO, suffix: str) -> Format | None:
    """The format of a container, or None for any other file; `suffix` as for `formats.detect`. Rewinds the file."""
    head = file.read(_HEAD)
    if head.startswith(formats.ZIP_STARTS):
        found = formats.zip_format(file, suffix)
        if suffix in _OTHER_ZIPS:
            return None
    elif head.startswith(b"\x1f\x8b"):
        found = TAR_GZ if _holds_tar(head) else formats.GZIP
    elif not _may_be_container(head):
        found = None
    else:
        found = formats.detect(head, suffix)
    file.seek(0)
    return found if found and found.mime in CONTAINERS and found.condition is Condition.SOUND else None


def _may_be_container(head: bytes) -> bool:
    """A quick look, since nearly all files are none: a tar archive, or a mailbox below a mark and blank lines."""
    return b"ustar" in head[_TAR_MAGIC : _TAR_MAGIC + 5] or b"From " in head[:_MARK_AND_BLANKS]


def _holds_tar(head: bytes) -> bool:
    try:
        start = zlib.decompressobj(_GZIP_WINDOW).decompress(head, _TAR_BLOCK)
    except zlib.error:
        return False
    return formats.detect(start, "") == formats.TAR
