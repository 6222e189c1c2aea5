"""`make test-stores`: what depends on the stores is tested over TCP on stores of one's own, not on the embedded ones.

Starts SecantusDB as a process and the redis-server of this machine, both with TLS and a password, unless
SEMANTIK_TEST_MONGO_URL or SEMANTIK_TEST_REDIS_URL names another; the arguments are pytest's.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from support.local_tls import Certificate
from support.own_stores import Redis, secantus

TESTS = (
    "storage/test_*.py",
    "storage/data/test_*.py",
    "integrity/test_*.py",
    "progress/test_*.py",
    "connection_limits/test_*.py",
    "pipeline/execution/test_*.py",
    "pipeline/context/test_*.py",
    "pipeline/operations/test_*.py",
    "search/test_document_catalog.py",
    "search/test_search.py",
    "test_journey.py",
)


def main(arguments: list[str]) -> int:
    os.environ.pop("PYTHONPATH", None)  # servers would find packages of the tests in place of their own
    if shutil.which("redis-server") is None:
        sys.stderr.write("redis-server is missing on this machine: sudo apt-get install redis-server\n")
        return 1
    here = Path(__file__).parents[1]
    files = sorted(str(file) for pattern in TESTS for file in here.glob(pattern))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="semantik-stores-")))
        certificate = Certificate(folder / "certificate")
        if "SEMANTIK_TEST_MONGO_URL" not in os.environ:
            mongo = secantus(folder / "mongo", certificate)
            stack.callback(mongo.stop)
            os.environ["SEMANTIK_TEST_MONGO_URL"] = mongo.url
        if "SEMANTIK_TEST_REDIS_URL" not in os.environ:
            redis = Redis(folder / "redis", certificate)
            stack.callback(redis.stop)
            os.environ["SEMANTIK_TEST_REDIS_URL"] = redis.url
        # Ctrl-C is for pytest too, which ends what it has started.
        signal.signal(signal.SIGINT, lambda *_: None)
        command = [sys.executable, "-m", "pytest", *arguments]
        return subprocess.Popen(command if _names_tests(arguments) else [*command, *files]).wait()


def _names_tests(arguments: list[str]) -> bool:
    return any(Path(argument.partition("::")[0]).exists() for argument in arguments)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
