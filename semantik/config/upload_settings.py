"""The settings of uploads: what may be sent, how much of it, and how long unfinished uploads are kept.

Part of `Settings`; see `settings.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from semantik.config.fields import ANY, at_least, between, globs, reloadable

_MIB = 1 << 20


@dataclass(frozen=True)
class UploadSettings:
    """Files that users send to collections."""

    enabled: bool = reloadable(True, ANY, "Whether files can be uploaded.")
    max_file_bytes: int = reloadable(1024 * _MIB, at_least(1), "A larger file is refused.")
    quota_bytes: int = reloadable(
        10_240 * _MIB, at_least(0), "Bytes of all files that one user has uploaded; 0 is any number."
    )
    types: tuple[str, ...] = reloadable(
        [], globs, 'Names (globs) of files that may be uploaded, as ["*.pdf", "*.txt"]; empty: all.'
    )
    max_files: int = reloadable(1000, between(1, 100_000), "Files in one request.")
    concurrent: int = reloadable(16, between(1, 1000), "Requests with files of one user at the same time.")
    unfinished: int = reloadable(1000, at_least(1), "Unfinished uploads of one user at the same time.")
    expire_s: float = reloadable(
        86_400.0, at_least(1), "How long an unfinished upload without new bytes can be resumed."
    )
    idle_s: float = reloadable(
        30.0, at_least(0.1), "An upload that sends nothing for so long is interrupted."
    )
    index_delay_s: float = reloadable(
        1.0, between(0, 3600), "Uploads within this time are indexed by one operation."
    )
    free_bytes: int = reloadable(
        1024 * _MIB, at_least(0), "Uploads are refused when they would leave less on the disk."
    )
