"""Landlock: a process that restricts itself opens no files but those below the given folders, for the rest of its life.

See landlock(7). What is open already stays usable, so a file can be handed over as a descriptor.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Sequence

from pipeline.isolation.system_calls import syscall

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same numbers on every architecture
_VERSION = 1  # a flag
_PATH_BENEATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_RIGHTS = {
    1: (1 << 13) - 1,
    2: (1 << 14) - 1,
    3: (1 << 15) - 1,
    5: (1 << 16) - 1,
}  # by the version that added them
_OF_A_FILE = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_TCP = 3  # bind and connect
_TCP_SINCE, _SCOPES_SINCE = 4, 6
_SCOPES = 3  # abstract Unix sockets, signals


def version() -> int:
    """That of the kernel's Landlock; 0 where it has none."""
    try:
        return syscall(_CREATE_RULESET, None, 0, _VERSION)
    except OSError:
        return 0


def scopes_signals(landlock_version: int) -> bool:
    """Whether a restricted process can send signals only to processes that are restricted with it."""
    return landlock_version >= _SCOPES_SINCE


def restrict(readable: Sequence[str], writable: Sequence[str], listed: Sequence[str]) -> None:
    """Let this thread, which has no new privileges, read and run what is below `readable`, and change `writable`.

    Of what is below `listed` it can read the names. Paths that do not exist are left out. Raises OSError where the
    kernel has no Landlock.
    """
    found = version()
    rights = _RIGHTS[max(since for since in _RIGHTS if since <= max(found, 1))]
    attributes = struct.pack("=Q", rights)
    if found >= _TCP_SINCE:
        attributes += struct.pack("=Q", _TCP)
    if scopes_signals(found):
        attributes += struct.pack("=Q", _SCOPES)
    ruleset = syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    try:
        for path in readable:
            _allow(ruleset, path, rights & (_EXECUTE | _READ_FILE | _READ_DIR))
        for path in listed:
            _allow(ruleset, path, _READ_DIR)
        for path in writable:
            _allow(ruleset, path, rights & ~_IOCTL_DEV)
        syscall(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:  # not there, or not for this user
        return
    try:
        if not stat.S_ISDIR(os.fstat(opened).st_mode):
            rights &= _OF_A_FILE
        syscall(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", rights, opened), 0)
    finally:
        os.close(opened)
