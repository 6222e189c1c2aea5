"""Commands in processes of their own, forked from one of this test session that has imported everything already."""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from support.light_server import LENGTH_BYTES

_PROGRAM = Path(__file__).with_name("light_server.py")
_PR_SET_CHILD_SUBREAPER = 36


class Forked:
    """What the tests use of a `subprocess.Popen`. It is a child of this process."""

    def __init__(self, pid: int, stdout: IO[str] | None = None) -> None:
        self.pid = pid
        self.stdout = stdout
        self.returncode: int | None = None
        self._ending = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """The status, once it has ended; negative when a signal ended it."""
        if self.returncode is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                self.returncode = os.waitstatus_to_exitcode(status)
                os.close(self._ending)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            waiting = select.poll()
            waiting.register(self._ending, select.POLLIN)
            waiting.poll(None if timeout is None else timeout * 1000)
        status = self.poll()
        if status is None:
            raise subprocess.TimeoutExpired("a forked command", timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


class Launcher:
    """The process that they are forked from; it comes with the first and ends with this one."""

    def __init__(self) -> None:
        self._requests: socket.socket | None = None
        self._one_at_a_time = threading.Lock()

    def serve(self, argv: Sequence[str], env: Mapping[str, str], errors: IO[str]) -> Forked:
        """A light server with these arguments; its standard error goes to `errors`."""
        heard, said = os.pipe()
        nothing = os.open(os.devnull, os.O_RDONLY)
        forked = self.launch(["server", *argv], env, (nothing, said, errors.fileno()))
        os.close(nothing)
        os.close(said)
        forked.stdout = os.fdopen(heard)
        return forked

    def launch(self, argv: Sequence[str], env: Mapping[str, str], streams: tuple[int, int, int]) -> Forked:
        """`python -m semantik` with these arguments, and descriptors as its standard streams."""
        request = json.dumps({"argv": list(argv), "env": dict(env)}).encode()
        with self._one_at_a_time:
            requests = self._requests or self._start()
            socket.send_fds(requests, [len(request).to_bytes(LENGTH_BYTES)], list(streams))
            requests.sendall(request)
            return Forked(int.from_bytes(requests.recv(LENGTH_BYTES, socket.MSG_WAITALL)))

    def _start(self) -> socket.socket:
        # Those that it forks are orphans, and become children of this process.
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
        self._requests, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-P", str(_PROGRAM), "--launcher", str(theirs.fileno())]
            subprocess.Popen(command, pass_fds=[theirs.fileno()])
        return self._requests


launcher = Launcher()
