"""Calls of the kernel that Python has no function for. Linux only; knows nothing of workers."""

from __future__ import annotations

import ctypes
import os
import platform
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_DUMPABLE = 4
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
_CAPABILITY_VERSION_3 = 0x20080522
_CAPSET = {"x86_64": 126, "aarch64": 91}


def syscall(number: int, *arguments: int | bytes | None) -> int:
    """The kernel's answer. Raises OSError. Every number is passed as a C long."""
    values = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result: int = _libc.syscall(ctypes.c_long(number), *values)
    if result < 0:
        _raise()
    return result


def prctl(option: int, *arguments: int | bytes) -> None:
    """Raises OSError."""
    values = [ctypes.c_ulong(each) if isinstance(each, int) else each for each in arguments]
    values += [ctypes.c_ulong(0)] * (4 - len(values))
    if _libc.prctl(option, *values) < 0:
        _raise()


def forbid_new_privileges() -> None:
    """This process and all that come from it never get more privileges, whatever program they run. Raises OSError."""
    prctl(_PR_SET_NO_NEW_PRIVS, 1)


def hide_memory() -> None:
    """Other processes of this user may read neither the memory nor the environment of this process. Raises OSError."""
    prctl(_PR_SET_DUMPABLE, 0)


def drop_capabilities() -> None:
    """Give up all capabilities: root is then a user that owns root's files. Raises OSError."""
    if not _has_capabilities():
        return  # a service that has none may not even be allowed to ask
    prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    header = _CAPABILITY_VERSION_3.to_bytes(4, "little") + bytes(4)
    syscall(_CAPSET[platform.machine()], header, bytes(24))


def _has_capabilities() -> bool:
    lines = Path("/proc/self/status").read_text().splitlines()
    return any(
        int(line.split()[1], 16)
        for line in lines
        if line.startswith(("CapInh", "CapPrm", "CapEff", "CapAmb"))
    )


def _raise() -> None:
    number = ctypes.get_errno()
    raise OSError(number, os.strerror(number))
