"""`bin/semantik-server` with the light pool, and password hashes that take no time; the command line is the same."""

from __future__ import annotations

import signal
import sys
from functools import partial
from pathlib import Path

from argon2 import PasswordHasher

TESTS = Path(__file__).resolve().parent.parent


def main(argv: list[str]) -> int:
    # The project first: the folders of its tests have the names of its packages.
    sys.path[:0] = [str(TESTS.parent), str(TESTS)]
    from support.light_pool import LightPool

    import semantik.auth.passwords
    import semantik.server
    from semantik.commands import server

    semantik.server.Pool = LightPool  # type: ignore[misc, assignment]
    semantik.auth.passwords.PasswordHasher = partial(
        PasswordHasher, time_cost=1, memory_cost=8, parallelism=1
    )  # type: ignore[misc, assignment]
    return server.main(argv)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    raise SystemExit(main(sys.argv[1:]))
