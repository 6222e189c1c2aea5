"""Names of files and folders that are no documents: what systems and programs leave beside them. Pure.

A scan passes over them silently, whatever `documents.exclude` says. Where a document may have such a name, too, the
file itself decides: its size, its first bytes, or whether the document that it is a copy of is there.
"""

from __future__ import annotations

import re
from enum import Enum


class Verdict(Enum):
    """What a name says of a file."""

    DOCUMENT = 0
    NO_DOCUMENT = 1
    IF_APPLE_DOUBLE = 2  # no document if its first bytes say so
    IF_SMALL = 3  # no document if it has no more than SMALL_BYTES
    IF_COPY = 4  # no document if `original` is in the same folder


SMALL_BYTES = 4096

_FOLDERS = frozenset(
    {
        "__macosx", ".appledouble", ".spotlight-v100", ".trashes", ".trash", ".fseventsd", ".temporaryitems",
        ".documentrevisions-v100", "$recycle.bin", "recycler", "system volume information", "lost+found",
        "@eadir", "#recycle", "@recycle", ".@__thumb", ".stfolder", ".dropbox.cache", ".tmp.drivedownload",
        ".tmp.driveupload", ".thumbnails",
    }
)  # fmt: skip
_FILES = frozenset(
    {
        ".ds_store", "thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", ".localized", "icon\r",
        ".directory", ".dropbox", ".dropbox.attr", ".stignore", ".nextcloudsync.log", ".owncloudsync.log", ".apdisk",
        "dovecot-uidlist", "dovecot-keywords", "dovecot.index", "dovecot.index.log", "dovecot.index.log.2",
        "dovecot.index.cache", "dovecot.list.index", "dovecot.list.index.log", "maildirfolder", "maildirsize",
    }
)  # fmt: skip
_SUFFIXES = frozenset(
    {"part", "crdownload", "partial", "download", "aria2", "tmp", "msf", "swp", "swo", "kate-swp"}
)
_OFFICE = re.compile(r"\.(?:doc|dot|xls|xlt|ppt|pps|pot|vsd|rtf|one|pub|mdb|accdb|od)\w{0,3}", re.IGNORECASE)
_PATTERNS = re.compile(
    r"\.~lock\..+#"  # LibreOffice
    r"|\.#.+"  # Emacs: a lock
    r"|(?:\.syncthing\.|~syncthing~).+"
    r"|\._?sync_.+\.db(?:-shm|-wal)?|\..+\.~[0-9a-f]{1,8}"  # Nextcloud
    r"|\.(?:nfs[0-9a-f]{16,}|fuse_hidden[0-9a-f]+|goutputstream-.+)"
    r"|\.trash-\d+",
    re.DOTALL,
)
_FIRST = frozenset(".~#")


def is_passed_over_folder(name: str) -> bool:
    """Whether a folder of this name is never entered."""
    low = name.lower()
    return low in _FOLDERS or low.startswith(".trash-")


def verdict(name: str) -> Verdict:
    """What the name of a file says. Called for each file of a scan, so the usual name is decided first."""
    low = name.lower()
    _, dot, suffix = low.rpartition(".")
    if (dot and suffix in _SUFFIXES) or low in _FILES:
        return Verdict.NO_DOCUMENT
    if name[:1] in _FIRST:
        if name.startswith("~$") and _OFFICE.fullmatch(name[name.rfind(".") :]):
            return Verdict.IF_SMALL
        if _PATTERNS.fullmatch(low):
            return Verdict.NO_DOCUMENT
        if name.startswith("._"):
            return Verdict.IF_APPLE_DOUBLE
    return Verdict.IF_COPY if original(name) else Verdict.DOCUMENT


def is_apple_double(start: bytes) -> bool:
    """Whether a file "._x" that starts so holds what macOS keeps beside x (00 05 16 07), be it damaged or empty."""
    return not start or start[0] == 0  # no document starts with 00


def original(name: str) -> str | None:
    """The document that an editor's copy is of: "a.txt" of "a.txt~" and of "#a.txt#"."""
    if len(name) > 1 and name.endswith("~"):
        return name[:-1]
    if len(name) > 2 and name.startswith("#") and name.endswith("#"):
        return name[1:-1]
    return None


def is_passed_over(path: str) -> bool:
    """Whether a path, judged by its names alone, is no document: a file in an archive, or one that is gone."""
    *folders, name = path.split("/")
    if any(map(is_passed_over_folder, folders)):
        return True
    return verdict(name) in (Verdict.NO_DOCUMENT, Verdict.IF_APPLE_DOUBLE, Verdict.IF_SMALL)
