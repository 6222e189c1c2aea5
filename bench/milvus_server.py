"""The standalone Milvus of PyPI as a process: a real server of an older version, in an environment of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.corpus import WORK_FOLDER

_VERSION = "2.3.5"
_READY_S = 180.0


@contextmanager
def milvus_server() -> Iterator[str]:
    """The address of a Milvus: of SEMANTIK_BENCH_MILVUS_URL, or of one that ends on exit."""
    if given := os.environ.get("SEMANTIK_BENCH_MILVUS_URL"):
        yield given
        return
    program = _installed()
    port = _free_port()
    with tempfile.TemporaryDirectory(dir=WORK_FOLDER) as folder, (Path(folder) / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, "--data", f"{folder}/data", "--proxy-port", str(port)],
            stdout=log,
            stderr=log,
            start_new_session=True,  # the server is its child
        )
        try:
            _wait(process, port, Path(folder) / "log")
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _installed() -> str:
    folder = WORK_FOLDER / f"milvus-{_VERSION}"
    program = folder / "bin" / "milvus-server"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, f"milvus=={_VERSION}", "setuptools<81"], check=True)
    return str(program)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + _READY_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError as error:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"Milvus did not start: {log.read_text()[-2000:]}") from error
        time.sleep(0.2)
