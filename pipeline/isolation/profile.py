"""What a worker process may do, and how it gives up the rest before its first task. Runs in the worker processes.

Each part is tried by itself, and the report says which of them this kernel has refused.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.isolation import landlock, seccomp, system_calls


@dataclass(frozen=True)
class Profile:
    """The files that a process may open: below `readable` to read and run them, below `writable` to change them, too.

    Below `listed` it may read the names. With `any_file` it may open what its user may. With `network` it may open
    sockets. `folders` identifies those of the folders that may be made anew: the rules are for what a path named when
    the process started.
    """

    readable: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    any_file: bool = False
    network: bool = False
    folders: tuple[int, ...] = ()


@dataclass(frozen=True)
class Report:
    """What a process has given up: new privileges, capabilities and system calls; files; signals to others; network.

    `problems` are a sentence for each part that the kernel has refused.
    """

    privileges: bool
    system_calls: bool
    files: bool
    signals: bool
    network: bool
    problems: tuple[str, ...] = ()


def apply(profile: Profile) -> Report:
    """Restrict this process, which has a single thread, for the rest of its life. Raises nothing."""
    problems: list[str] = []
    privileges = _try(_give_up_privileges, "does not let workers give up their privileges", problems)
    files = profile.any_file or _try(
        lambda: landlock.restrict(profile.readable, profile.writable, profile.listed),
        "has no Landlock (5.13 or newer), so workers can open other files of the server's user",
        problems,
    )
    found = 0 if profile.any_file else landlock.version()
    signals = files and landlock.scopes_signals(found)
    if files and not signals and not profile.any_file:
        problems.append(
            "The kernel's Landlock is older than that of 6.12, so workers can send signals to the server."
        )
    filtered = _try(
        lambda: seccomp.refuse(profile.network),
        "does not filter system calls (seccomp), so workers can use the network",
        problems,
    )
    return Report(
        privileges,
        filtered,
        files and not profile.any_file,
        signals,
        filtered and not profile.network,
        tuple(problems),
    )


def _give_up_privileges() -> None:
    system_calls.forbid_new_privileges()
    system_calls.drop_capabilities()


def _try(step: Callable[[], None], problem: str, problems: list[str]) -> bool:
    try:
        step()
    except (OSError, KeyError) as error:
        reason = f" ({os.strerror(error.errno)})" if isinstance(error, OSError) and error.errno else ""
        problems.append(f"The kernel {problem}{reason}.")
        return False
    return True
