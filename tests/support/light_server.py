"""`python -m semantik` with the light pool in the server, and with password hashes there that take no time.

As `light_server.py --launcher DESCRIPTOR`, a process that has imported everything and forks one for each command line
that comes over this socket: most of a start is spent on imports. `forked.py` is the other side.
"""

from __future__ import annotations

import array
import ctypes
import gc
import json
import os
import signal
import socket
import sys
import time
from functools import partial
from pathlib import Path

from argon2 import PasswordHasher

LENGTH_BYTES = 4
_PR_SET_PDEATHSIG = 1
_TESTS = Path(__file__).resolve().parent.parent
_STREAMS = (0, 1, 2)  # standard input, output and error come with a command line


def main(argv: list[str]) -> int:
    """Run the command whose name comes first."""
    # The project first: the folders of its tests have the names of its packages.
    sys.path[:0] = [str(_TESTS.parent), str(_TESTS)]
    from support.mongo_commands import listen

    listen()
    if argv[:1] == ["--launcher"]:
        argv = _serve_launches(socket.socket(fileno=int(argv[1])))
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _serve(argv[1:]) if argv[0] == "server" else _command(argv)


def _serve(argv: list[str]) -> int:
    from support.light_pool import LightPool

    from semantik.auth import passwords
    from semantik.commands import server

    cheap = partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)
    passwords.PasswordHasher = cheap  # type: ignore[misc, assignment]
    return server.main(argv, make_pool=LightPool)


def _command(argv: list[str]) -> int:
    from semantik.__main__ import main as run

    return run(argv)


def _serve_launches(requests: socket.socket) -> list[str]:
    """Returns in each process that is to run a command, with its line; exits when nobody asks any more."""
    pytest = os.getppid()
    _import_everything()
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for pytest, which ends what it has started
    while True:
        streams = array.array("i")
        head, ancillary, _, _ = requests.recvmsg(
            LENGTH_BYTES, socket.CMSG_LEN(len(_STREAMS) * streams.itemsize), socket.MSG_WAITALL
        )
        if not head:
            raise SystemExit(0)
        for _, _, data in ancillary:
            streams.frombytes(data)
        request = json.loads(requests.recv(int.from_bytes(head), socket.MSG_WAITALL))
        if _forked(requests):
            _die_with(pytest)
            for stream, number in zip(streams, _STREAMS, strict=True):
                os.dup2(stream, number)
                os.close(stream)
            requests.close()
            os.environ.clear()
            os.environ.update(request["env"])
            return list(request["argv"])
        for stream in streams:
            os.close(stream)


def _import_everything() -> None:
    """What the commands import late, too."""

    import semantik.app.lifecycle
    import semantik.app.sd_notify
    import semantik.commands.audit
    import semantik.commands.cleanup
    import semantik.commands.reindex
    import semantik.commands.status
    import semantik.commands.user
    import semantik.server  # noqa: F401


def _forked(requests: socket.socket) -> bool:
    """Whether this is the new process. It is an orphan from the start, so that pytest becomes its parent."""
    between = os.fork()
    if between:
        os.waitpid(between, 0)
        return False
    child = os.fork()
    if child:
        requests.sendall(child.to_bytes(LENGTH_BYTES))
        os._exit(0)
    return True


def _die_with(parent: int) -> None:
    """Have the kernel end this process when `parent` dies, its parent as soon as the one between has exited."""
    while os.getppid() != parent:
        if not Path(f"/proc/{parent}").exists():
            os._exit(1)
        time.sleep(0.001)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
