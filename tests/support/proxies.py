"""The proxies of conf/, in front of servers of the tests."""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import websockets
from support.local_tls import Certificate, free_port
from support.patience import patience
from support.server import ROOT

NOBODY = 65534
_OF_EACH = "_fails=1 fail_timeout=1s;\n"


@dataclass(frozen=True)
class Proxy:
    """A proxy that runs, and what its clients trust."""

    origin: str
    trust: ssl.SSLContext

    def client(self, **headers: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.origin, verify=self.trust, headers=headers, timeout=patience())

    @asynccontextmanager
    async def socket(self, path: str, **options: Any) -> AsyncIterator[websockets.ClientConnection]:
        address = f"wss{self.origin.removeprefix('https')}{path}"
        async with websockets.connect(address, ssl=self.trust, **options) as opened:
            yield opened


def _nginx(folder: Path, port: int, plain: int, behind: Sequence[str]) -> list[str]:
    text = (ROOT / "conf/nginx/semantik.conf").read_text()
    text = re.sub(r".*listen \[::\].*\n", "", text)
    for old, new in (
        ("    server 127.0.0.1:8080 max", _OF_EACH.join(f"    server {each} max" for each in behind)),
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen 443 ", f"listen 127.0.0.1:{port} "),
        ("semantik.example.org", "localhost"),
        ("/etc/ssl/semantik/fullchain.pem", f"{folder}/certificate.pem"),
        ("/etc/ssl/semantik/privkey.pem", f"{folder}/key.pem"),
        ("/var/log/nginx/", f"{folder}/"),
    ):
        assert old in text, old
        text = text.replace(old, new)
    places = "".join(
        f"{name}_temp_path {folder}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = f"daemon off; pid {folder}/pid; events {{}}\nhttp {{\naccess_log off;\n{places}{text}\n}}\n"
    (folder / "main.conf").write_text(main)
    return ["nginx", "-p", str(folder), "-e", "stderr", "-c", str(folder / "main.conf")]


def _caddy(folder: Path, port: int, plain: int, behind: Sequence[str]) -> list[str]:
    text = (ROOT / "conf/caddy/Caddyfile").read_text()
    for old, new in (
        ("127.0.0.1:8080", " ".join(behind)),
        (
            "semantik.example.org {\n",
            f"https://localhost:{port} {{\n\tbind 127.0.0.1\n\ttls {folder}/certificate.pem {folder}/key.pem\n",
        ),
    ):
        assert old in text, old
        text = text.replace(old, new)
    options = f"{{\n\tadmin off\n\tauto_https off\n\thttp_port {plain}\n\tstorage file_system {folder}\n}}\n"
    (folder / "Caddyfile").write_text(options + text)
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


def _haproxy(folder: Path, port: int, plain: int, behind: Sequence[str]) -> list[str]:
    text = (ROOT / "conf/haproxy/haproxy.cfg").read_text()
    (folder / "both.pem").write_text(
        (folder / "certificate.pem").read_text() + (folder / "key.pem").read_text()
    )
    servers = "".join(f"    server s{number} {each}\n" for number, each in enumerate(behind))
    for old, new in (
        ("    server one 127.0.0.1:8081\n    server two 127.0.0.1:8082\n", servers),
        ("bind :80\n", f"bind 127.0.0.1:{plain}\n"),
        ("bind :443 ", f"bind 127.0.0.1:{port} "),
        ("/etc/ssl/semantik/semantik.pem", f"{folder}/both.pem"),
        ("log /dev/log local0", f"log {folder}/nowhere local0"),
    ):
        assert old in text, old
        text = text.replace(old, new)
    (folder / "haproxy.cfg").write_text(text)
    return ["haproxy", "-db", "-f", str(folder / "haproxy.cfg")]


PROXIES: dict[str, Callable[[Path, int, int, Sequence[str]], list[str]]] = {
    "nginx": _nginx,
    "caddy": _caddy,
    "haproxy": _haproxy,
}


def missing(name: str) -> str:
    """What a test of this proxy lacks on this machine, or ""."""
    return " and ".join(each for each in (name, "openssl") if shutil.which(each) is None)


@contextmanager
def proxied(name: str, behind: Sequence[str]) -> Iterator[Proxy]:
    """Run a proxy with its file of conf/ in front of the servers at these addresses, host:port."""
    folder = Path(tempfile.mkdtemp(prefix="semantik-proxy-"))
    Certificate(folder, "localhost")
    port = free_port()
    command = PROXIES[name](folder, port, free_port(), behind)
    # As root it would look for a user of its own, which the machine need not have.
    user = NOBODY if os.geteuid() == 0 else None
    if user is not None:
        for each in (folder, *folder.iterdir()):
            os.chown(each, NOBODY, NOBODY)
    with (folder / "told").open("w") as told_there:
        process = subprocess.Popen(
            command,
            stderr=told_there,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            env={"PATH": os.environ["PATH"], "HOME": str(folder)},
            cwd=folder,  # which that user may enter
        )
    try:
        _wait_until_open(process, port, folder / "told")
        yield Proxy(
            f"https://localhost:{port}", ssl.create_default_context(cafile=folder / "certificate.pem")
        )
    finally:
        process.terminate()
        process.wait(patience())
        shutil.rmtree(folder)


def _wait_until_open(process: subprocess.Popen[bytes], port: int, said: Path) -> None:
    ends = time.monotonic() + patience()
    while True:
        assert process.poll() is None and time.monotonic() < ends, said.read_text()
        with socket.socket() as trying:
            if trying.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
