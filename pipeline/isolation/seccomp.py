"""A filter of system calls: no sockets, no look into other processes, nothing that workers never need.

The filter is a program for the kernel, see seccomp(2). A refused call fails with EPERM, and the process goes on.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
from collections.abc import Iterable

from pipeline.isolation.system_calls import prctl

_PR_SET_SECCOMP, _FILTER = 22, 2
# Codes of BPF: a word to A; A == k; A >= k; A & k.
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT, _SECOND_ARGUMENT = 0, 4, 16, 24  # offsets in seccomp_data
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000
_ABSENT = 0x00050000 | errno.ENOSYS  # for calls that a library may try and do without
_X32 = 0x40000000  # numbers of another interface of the same kernel
_TERMINAL_INPUT = (0x5412, 0x541C)  # ioctl TIOCSTI, TIOCLINUX: they type on the server's terminal

_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_IOCTL = {"x86_64": 16, "aarch64": 29}
_CLONE = {"x86_64": 56, "aarch64": 220}
_NEW_NAMESPACES = 0x7E020000  # the flags of clone that begin with CLONE_NEW

# (x86_64, aarch64); a number above 423 is the same everywhere, and None is a call that aarch64 does not have.
_NETWORK: dict[str, tuple[int, int | None]] = {
    "socket": (41, 198), "connect": (42, 203), "accept": (43, 202), "bind": (49, 200), "listen": (50, 201),
    "socketpair": (53, 199), "accept4": (288, 242),
}  # fmt: skip
_OTHER_PROCESSES: dict[str, tuple[int, int | None]] = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_getfd": (438, 438), "process_madvise": (440, 440), "perf_event_open": (298, 241),
}  # fmt: skip
_KERNEL: dict[str, tuple[int, int | None]] = {
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "chroot": (161, 51), "bpf": (321, 280), "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218),
    "userfaultfd": (323, 282), "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "kexec_load": (246, 104), "reboot": (169, 142), "swapon": (167, 224), "syslog": (103, 116), "acct": (163, 89),
    "open_by_handle_at": (304, 265), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsmount": (432, 432), "mount_setattr": (442, 442), "quotactl": (179, 60), "iopl": (172, None),
    "personality": (135, 92), "setuid": (105, 146), "setgid": (106, 144), "setgroups": (116, 159),
}  # fmt: skip
_UNCHECKABLE: dict[str, tuple[int, int | None]] = {
    # io_uring makes other calls, sockets included, without this filter; the flags of clone3 are not visible to it.
    "clone3": (435, 435), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
}  # fmt: skip


def is_known() -> bool:
    """Whether the numbers of the system calls are known for this machine."""
    return platform.machine() in _ARCHITECTURES


def refuse(network: bool) -> None:
    """Refuse the calls in this thread, which has no new privileges, and in all processes that come from it.

    With `network`, sockets stay allowed. Raises OSError where the kernel has no filters.
    """
    program = _program(network)
    buffer = ctypes.create_string_buffer(program)
    # struct sock_fprog: the number of instructions, and where they are.
    argument = struct.pack("HP", len(program) // 8, ctypes.addressof(buffer))
    prctl(_PR_SET_SECCOMP, _FILTER, argument)


def _program(network: bool) -> bytes:
    machine = platform.machine()
    refused = [*_OTHER_PROCESSES.values(), *_KERNEL.values(), *(() if network else _NETWORK.values())]
    instructions = [
        _instruction(_LOAD, _ARCHITECTURE),
        _instruction(_EQUAL, _ARCHITECTURES[machine], 1, 0),
        _instruction(_RETURN, _KILL),
        _instruction(_LOAD, _NUMBER),
        *((_instruction(_AT_LEAST, _X32, 0, 1), _instruction(_RETURN, _KILL)) if machine == "x86_64" else ()),
        *_answers(_numbers(_UNCHECKABLE.values(), machine), _ABSENT),
        *_answers(_numbers(refused, machine), _REFUSE),
        _instruction(_EQUAL, _CLONE[machine], 0, 4),
        _instruction(_LOAD, _FIRST_ARGUMENT),
        _instruction(_ANY_BIT, _NEW_NAMESPACES, 0, 1),
        _instruction(_RETURN, _REFUSE),
        _instruction(_RETURN, _ALLOW),
        _instruction(_EQUAL, _IOCTL[machine], 0, 1 + 2 * len(_TERMINAL_INPUT)),
        _instruction(_LOAD, _SECOND_ARGUMENT),
        *_answers(_TERMINAL_INPUT, _REFUSE),
        _instruction(_RETURN, _ALLOW),
    ]
    return b"".join(instructions)


def _numbers(calls: Iterable[tuple[int, int | None]], machine: str) -> list[int]:
    column = 0 if machine == "x86_64" else 1
    return [number for call in calls if (number := call[column]) is not None]


def _answers(values: Iterable[int], answer: int) -> list[bytes]:
    return [
        each
        for value in values
        for each in (_instruction(_EQUAL, value, 0, 1), _instruction(_RETURN, answer))
    ]


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
