"""`make test-redis`: what speaks with Redis is tested on the redis-server of this machine, not the embedded one.

Starts one on a Unix socket in a folder of its own; the arguments are pytest's.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from support.redis_server import RedisServer

TESTS = (
    "progress/test_*.py",
    "connection_limits/test_*.py",
    "handlers/sockets/test_*.py",
    "pipeline/execution/test_two_servers.py",
)


def main(arguments: list[str]) -> int:
    os.environ.pop("PYTHONPATH", None)  # servers would find packages of the tests in place of their own
    program = shutil.which("redis-server")
    if program is None:
        sys.stderr.write("redis-server is missing on this machine: sudo apt-get install redis-server\n")
        return 1
    here = Path(__file__).parents[1]
    files = sorted(str(file) for pattern in TESTS for file in here.glob(pattern))
    os.environ["SEMANTIK_TEST_REDIS_PROGRAM"] = program
    with tempfile.TemporaryDirectory(prefix="semantik-redis-") as folder:
        server = RedisServer(Path(folder))
        os.environ["SEMANTIK_TEST_REDIS_URL"] = server.url
        # Ctrl-C is for pytest too, which ends what it has started.
        signal.signal(signal.SIGINT, lambda *_: None)
        try:
            return subprocess.Popen([sys.executable, "-m", "pytest", *arguments, *files]).wait()
        finally:
            server.kill()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
