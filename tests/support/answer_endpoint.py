"""An OpenAI-compatible endpoint as a process of its own: it answers from the prompt's passages, is silent, or dies.

A test says how. Each request is written to a file, so that a test sees what it got. One that died is started again.
"""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from support.patience import patience


@dataclass(frozen=True)
class Endpoint:
    url: str
    log: Path

    def requests(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def behave(self, way: str) -> None:
        """From the next request on."""
        self.log.with_suffix(".way").write_text(way)

    def wait_for_request(self) -> None:
        """In a thread: return once there was one."""
        while not self.log.read_text().endswith("\n"):
            time.sleep(0.02)


@contextmanager
def answer_endpoint(folder: Path) -> Iterator[Endpoint]:
    log = folder / "endpoint.jsonl"
    log.touch()
    log.with_suffix(".way").write_text("cites")
    process = subprocess.Popen(
        [sys.executable, __file__, str(log)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    assert process.stdout is not None
    said, _, _ = select.select([process.stdout], [], [], patience())
    assert said, "the endpoint did not start"
    yield Endpoint(f"http://127.0.0.1:{int(process.stdout.readline())}/v1", log)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with Path(sys.argv[1]).open("a") as log:
            log.write(json.dumps({**body, "authorization": self.headers.get("Authorization")}) + "\n")
        way = Path(sys.argv[1]).with_suffix(".way").read_text()
        if way == "missing":
            self._reply(404, {"error": {"message": "model 'small' not found", "type": "api_error"}})
            return
        if way == "other":
            self._reply(200, {"message": "Welcome."})
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self._stream(way, body)

    def _stream(self, way: str, body: dict[str, Any]) -> None:
        first = re.search(r"\[1\] .*\n(.*)", body["messages"][-1]["content"])
        quoted = first[1].rstrip(".") if first else "nothing"
        texts = {
            "unknown": ["NOT IN", " YOUR DOCUMENTS"],
            "uncited": ["I know it by heart. ", "It is blue."],
            "cites": [
                f"They say: {quoted} [",
                "1]. This one is made ",
                "up. And this is wrong [99]. All",
                " is said. [1]",
            ],
            "long": ["The first sentence [1]. The second is cut off in the"],
        }
        for text in texts.get(way, ["The beginning is there [1]. And then"]):
            self._event({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]})
        if way == "silent":
            time.sleep(3600)
        if way == "dies":
            os._exit(1)
        if way == "garbage":
            self._chunk(b"data: {not json}\n\n")
        if way == "fails":
            self._event({"error": {"message": "out of memory", "code": 500}})
        self._event(
            {"choices": [{"index": 0, "delta": {}, "finish_reason": "length" if way == "long" else "stop"}]}
        )
        self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def _reply(self, status: int, value: dict[str, Any]) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _event(self, value: dict[str, Any]) -> None:
        self._chunk(f"data: {json.dumps(value)}\n\n".encode())

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()


def _main() -> None:
    """Listen, and serve in a child process, in another one when that has died."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    while (child := os.fork()) != 0:
        os.waitpid(child, 0)
    server.serve_forever()


if __name__ == "__main__":
    _main()
