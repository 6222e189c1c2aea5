"""The process's limit of open files: raised at the start, with a reserve that connections cannot use up."""

from __future__ import annotations

import logging
import resource

# For the stores, the pool's workers, index files, documents and the log.
_RESERVE = 512
_MIN_CONNECTIONS = 16

log = logging.getLogger("semantik")


def raise_descriptor_limit(connections: int) -> None:
    """Raise the soft limit as far as the connections need it, and the hard limit allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _RESERVE
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def connections_possible(wanted: int) -> int:
    """How many connections there may be, at most `wanted`, so that the reserve stays free."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or wanted + _RESERVE <= soft:
        return wanted
    # Where the limit is lower than the reserve itself, half of it.
    possible = max(_MIN_CONNECTIONS, soft - _RESERVE if soft >= 2 * _RESERVE else soft // 2)
    if possible < wanted:
        log.info("connections.total is %d, since the limit of open files is %d", possible, soft)
    return min(wanted, possible)
