"""No reader opens a connection: every format is read where sockets are refused, and where there is no network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

# Reads the test file of every reader, and fails when anything asks for a connection or the address of a host.
_READ_ALL = """
import sys

def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request"):
        raise AssertionError(f"{event} {arguments}")

sys.addaudithook(refuse)
sys.path[:0] = ["tests", "tests/pipeline/extraction"]
import test_readers

for mime, ((name, data), word) in test_readers.VALID.items():
    assert word in test_readers._read(mime, data, test_readers._suffix(name)).text, mime
print("read", len(test_readers.VALID))
"""


def _read_all(*before: str) -> subprocess.CompletedProcess[str]:
    """Runs the program above; native code opens sockets without asking Python, so its calls are traced by the kernel's
    absence of a network only."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    command = [*before, sys.executable, "-c", _READ_ALL]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240)


def test_no_reader_asks_for_a_connection() -> None:
    done = _read_all()
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("read ")


def test_every_format_is_read_without_a_network() -> None:
    unshare = shutil.which("unshare")
    if (
        unshare is None
        or subprocess.run([unshare, "--net", "--map-root-user", "true"], capture_output=True).returncode
    ):
        pytest.skip("this system allows no network namespaces")
    done = _read_all(unshare, "--net", "--map-root-user")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("read ")
