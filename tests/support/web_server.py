"""Debian's nginx on loopback, with a site whose pages are files; it says in its log what was asked for."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from support.local_tls import free_port
from support.patience import patience

_CONFIG = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/errors;
events {{ worker_connections 64; }}
http {{
  types {{ text/html html; text/plain txt; application/xml xml; }}
  log_format asked '$status $request_uri';
  access_log {folder}/asked asked;
  client_body_temp_path {folder}/temp1;
  proxy_temp_path {folder}/temp2;
  fastcgi_temp_path {folder}/temp3;
  uwsgi_temp_path {folder}/temp4;
  scgi_temp_path {folder}/temp5;
  server {{
    listen 127.0.0.1:{port};
    root {folder}/site;
    index index.html;
    absolute_redirect on;
    location = /docs/moved {{ return 301 /docs/target.html; }}
    location = /docs/away {{ return 302 https://example.org/; }}
    include {folder}/more*.conf;
  }}
}}
"""


class WebSite:
    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self.url = f"http://127.0.0.1:{port}"
        self.process: subprocess.Popen[bytes] | None = None

    def write(self, pages: dict[str, str | None]) -> None:
        """Write pages, or remove them (None). A page that is written again has another date."""
        for name, text in pages.items():
            path = self._folder / "site" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                path.unlink()
            else:
                path.write_text(text)
                self._clock = getattr(self, "_clock", 1_700_000_000) + 60
                os.utime(path, (self._clock, self._clock))

    def answer(self, location: str, status: int) -> None:
        """From now on answer requests for a page with this status."""
        (self._folder / "more-1.conf").write_text(f"location = {location} {{ return {status}; }}\n")
        self._reload()

    def asked(self) -> list[str]:
        """The requests since the last call, as "200 /page.html"."""
        log = self._folder / "asked"
        lines = log.read_text().splitlines()
        log.write_text("")
        return lines

    def _reload(self) -> None:
        """Start with the new configuration: once the old worker is gone, no request gets the old answer."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(patience())
        self.start()

    def start(self) -> None:
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        self.process = subprocess.Popen(
            [program, "-e", str(self._folder / "errors"), "-c", str(self._folder / "nginx.conf")]
        )
        deadline = time.monotonic() + patience()
        port = int(self.url.rpartition(":")[2])
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            assert self.process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)


@contextmanager
def web_site(folder: Path) -> Iterator[WebSite]:
    (folder / "site").mkdir(parents=True)
    for each in (folder, folder / "site"):
        each.chmod(0o755)
    port = free_port()
    user = "user root;" if os.getuid() == 0 else ""  # its worker must get into pytest's folder
    (folder / "nginx.conf").write_text(user + _CONFIG.format(folder=folder, port=port))
    site = WebSite(folder, port)
    site.start()
    try:
        yield site
    finally:
        assert site.process is not None
        site.process.terminate()
        site.process.wait(patience())
