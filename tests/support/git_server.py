"""A git server on loopback: `git http-backend` as CGI behind a small HTTP server; and repositories to fill."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

USER, PASSWORD = "reader", "an unguessable git password"
_IDENTITY = {
    "GIT_AUTHOR_NAME": "Ada Keeper",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada Keeper",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
}


class GitServer:
    """`url` leads to the repositories in `folder`; with `private` they need USER and PASSWORD. `requests` counts."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"
        self.private = False
        self.requests = 0

    def repository(self, name: str) -> Repository:
        bare = self.folder / f"{name}.git"
        _git("init", "-q", "--bare", "-b", "main", str(bare))
        return Repository(f"{self.url}/{name}.git", bare, self.folder / f"{name}.work")


class Repository:
    """A repository on the server, changed by `commit`."""

    def __init__(self, url: str, bare: Path, work: Path) -> None:
        self.url = url
        self._work = work
        _git("clone", "-q", str(bare), str(work))
        _git("symbolic-ref", "HEAD", "refs/heads/main", cwd=work)

    def commit(
        self, subject: str, files: dict[str, str | None], branch: str = "main", force: bool = False
    ) -> str:
        """Write or remove (None) files, and push them as one commit; returns its id."""
        if _git("symbolic-ref", "--short", "HEAD", cwd=self._work).strip() != branch:
            _git("checkout", "-q", "-B", branch, cwd=self._work)
        for name, text in files.items():
            path = self._work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink() if text is None else path.write_text(text)
        _git("add", "-A", cwd=self._work)
        _git("commit", "-q", "-m", subject, *(["--amend"] if force else []), cwd=self._work)
        _git("push", "-q", *(["--force"] if force else []), "origin", branch, cwd=self._work)
        return _git("rev-parse", "HEAD", cwd=self._work).strip()

    def link(self, name: str, target: str) -> None:
        """Add a symbolic link to the next commit."""
        (self._work / name).symlink_to(target)


@contextmanager
def git_server(folder: Path) -> Iterator[GitServer]:
    folder.mkdir(parents=True, exist_ok=True)
    http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    http.daemon_threads = True
    http.git = GitServer(folder, http.server_port)  # type: ignore[attr-defined]
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield http.git  # type: ignore[attr-defined]
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        git: GitServer = self.server.git  # type: ignore[attr-defined]
        git.requests += 1
        expected = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if git.private and self.headers.get("Authorization") != expected:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        length = int(self.headers.get("Content-Length") or 0)
        environment = {
            **os.environ,
            **_IDENTITY,
            "GIT_PROJECT_ROOT": str(git.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_USER": USER,
        }
        answer = subprocess.run(
            ["git", "http-backend"],
            input=self.rfile.read(length),
            capture_output=True,
            env=environment,
            check=True,
        ).stdout
        head, _, body = answer.partition(b"\r\n\r\n")
        headers = [line.split(": ", 1) for line in head.decode().split("\r\n")]
        status = next((int(value.split()[0]) for name, value in headers if name == "Status"), 200)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


def _git(*arguments: str, cwd: Path | None = None) -> str:
    return subprocess.run(
        ["git", *arguments],
        cwd=cwd,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **_IDENTITY},
    ).stdout
