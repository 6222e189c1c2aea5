"""The proxies of conf/: REST, sockets and events through TLS, as a browser and a program use them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from support.api import PASSWORD, new_user
from support.fake_operation import fake_operation
from support.local_tls import Certificate, free_port
from support.patience import deadline, patience
from support.server import ROOT, Serving
from support.uploads import collection

pytestmark = pytest.mark.gen_test

NOBODY = 65534
_LIMIT = 1 << 20  # max_body_bytes


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


def _nginx(folder: Path, port: int, plain: int, behind: str) -> list[str]:
    text = (ROOT / "conf/nginx/semantik.conf").read_text()
    text = re.sub(r".*listen \[::\].*\n", "", text)
    for old, new in (
        ("127.0.0.1:8080", behind),
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


def _caddy(folder: Path, port: int, plain: int, behind: str) -> list[str]:
    text = (ROOT / "conf/caddy/Caddyfile").read_text()
    for old, new in (
        ("127.0.0.1:8080", behind),
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


PROXIES: dict[str, Callable[[Path, int, int, str], list[str]]] = {"nginx": _nginx, "caddy": _caddy}


@pytest.fixture(scope="module", params=PROXIES)
def proxy(request: pytest.FixtureRequest, shared: Serving) -> Iterator[Proxy]:
    name: str = request.param
    missing = [each for each in (name, "openssl") if shutil.which(each) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed")
    folder = Path(tempfile.mkdtemp(prefix="semantik-proxy-"))
    Certificate(folder, "localhost")
    port = free_port()
    command = PROXIES[name](folder, port, free_port(), shared.url.removeprefix("http://"))
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
        )
    try:
        asyncio.run(_until_open(process, port, folder / "told"))
        yield Proxy(
            f"https://localhost:{port}", ssl.create_default_context(cafile=folder / "certificate.pem")
        )
    finally:
        process.terminate()
        process.wait(patience())
        shutil.rmtree(folder)


async def _until_open(process: subprocess.Popen[bytes], port: int, said: Path) -> None:
    async with deadline():
        while True:
            assert process.poll() is None, said.read_text()
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


async def test_the_browser_signs_in_and_its_cookie_is_for_tls_alone(proxy: Proxy, shared: Serving) -> None:
    user = await new_user(shared)
    me = await user.call("GET", "auth/me")
    async with proxy.client(Origin=proxy.origin) as browser:
        page = await browser.get("/")
        assert page.status_code == 200 and "max-age" in page.headers["Strict-Transport-Security"]
        answer = await browser.post(
            "/api/v2/auth/login", json={"username": me["username"], "password": PASSWORD}
        )
        assert answer.status_code == 200
        assert "; secure" in answer.headers["Set-Cookie"].lower()
        assert (await browser.get("/api/v2/auth/me")).json() == me
        made = await browser.post("/api/v2/collections", json={"name": "Through the proxy"})
        assert made.status_code == 201
        cookie = f"semantik_session={browser.cookies['semantik_session']}"
        path, headers = "/ws/operations", {"Cookie": cookie}
        async with proxy.socket(path, origin=proxy.origin, additional_headers=headers) as socket_of_page:
            await socket_of_page.send("ping")
            assert json.loads(await socket_of_page.recv())["type"] == "pong"


async def test_a_foreign_page_stays_outside(proxy: Proxy, shared: Serving) -> None:
    user = await new_user(shared)
    async with proxy.client(Origin="https://elsewhere.example", Authorization=f"Bearer {user.token}") as page:
        assert (await page.post("/api/v2/collections", json={"name": "Mine"})).status_code == 403
    async with proxy.socket(
        f"/ws/operations?token={user.token}", origin="https://elsewhere.example"
    ) as opened:
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await opened.recv()
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1008


async def test_socket_and_events_pass_each_message_as_it_comes(proxy: Proxy, shared: Serving) -> None:
    user = await new_user(shared)
    async with (
        fake_operation(shared, user) as operation,
        proxy.client(Authorization=f"Bearer {user.token}") as client,
        proxy.socket(f"/ws/operations/{operation.id}?token={user.token}") as opened,
        client.stream("GET", f"/api/v2/operations/{operation.id}/events") as events,
    ):
        assert events.status_code == 200
        lines = events.aiter_lines()

        async def shown() -> None:
            """Both have told the last message, before the next is told."""
            async with deadline():
                while json.loads(await opened.recv()).get("id") != last:
                    pass
                while await anext(lines) != f"id: {last}":
                    pass

        for number in range(3):
            last = await operation.publish("error", message=f"message {number}", fatal=False)
            await shown()
        last = await operation.end()
        await shown()


async def test_a_body_that_is_too_large_is_refused_by_the_server_in_words(
    proxy: Proxy, shared: Serving
) -> None:
    user = await new_user(shared)
    async with proxy.client(Authorization=f"Bearer {user.token}") as client:
        answer = await client.post("/api/v2/search", content=b"x" * (_LIMIT + 1))
    assert answer.status_code == 413
    assert answer.headers["Content-Type"] == "application/problem+json" and answer.json()["detail"]


async def test_an_upload_of_any_size_passes(proxy: Proxy, shared: Serving) -> None:
    user = await new_user(shared)
    target = await collection(user)
    async with proxy.client(Authorization=f"Bearer {user.token}") as client:
        path = f"/api/v2/collections/{target}/uploads"
        answer = await client.post(path, params={"name": "big.txt"}, content=b"x" * (4 * _LIMIT))
    assert answer.status_code == 201 and answer.json()["items"][0]["size"] == 4 * _LIMIT
