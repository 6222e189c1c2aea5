"""A real OpenID Connect provider, and how a browser signs in there; `tests/oidc_provider/provider.mjs` runs it."""

from __future__ import annotations

import html
import json
import re
import select
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
from support.patience import patience

_FOLDER = Path(__file__).parents[1] / "oidc_provider"
LOGIN = "/api/v2/auth/oidc/login"
CALLBACK = "/api/v2/auth/oidc/callback"


class Provider:
    """`accounts` are the claims of each login name; `more` is what `provider.mjs` takes besides."""

    def __init__(self, accounts: Mapping[str, Mapping[str, Any]], **more: Any) -> None:
        if shutil.which("node") is None or not (_FOLDER / "node_modules").exists():
            pytest.skip("node or the provider's packages are not installed: bin/setup --tests")
        self._process = subprocess.Popen(
            ["node", str(_FOLDER / "provider.mjs"), json.dumps({"accounts": accounts, **more})],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,  # `select` does not see what a buffer holds
        )
        self.issuer: str = self._answer()["issuer"]

    def __call__(self, **command: Any) -> None:
        """Change how it behaves from now on, as `provider.mjs` says."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        self._answer()

    def kill(self) -> None:
        self._process.kill()
        self.close()

    def close(self) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()  # it exits once nobody commands it any more
        self._process.wait(patience())

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        while True:
            ready, _, _ = select.select([self._process.stdout], [], [], patience())
            line = self._process.stdout.readline() if ready else b""
            assert line, "the provider did not start or does not answer"
            if line.startswith(b"{"):  # the library prints notices, too
                answer: dict[str, Any] = json.loads(line)
                return answer


@contextmanager
def providing(accounts: Mapping[str, Mapping[str, Any]], **more: Any) -> Iterator[Provider]:
    provider = Provider(accounts, **more)
    try:
        yield provider
    finally:
        provider.close()


def browser(url: str, **more: Any) -> httpx.AsyncClient:
    """What follows redirects, keeps cookies, and is shown pages."""
    headers = {"Accept": "text/html,*/*"}
    return httpx.AsyncClient(base_url=url, headers=headers, follow_redirects=True, timeout=patience(), **more)


async def at_provider(client: httpx.AsyncClient, login: str, path: str = LOGIN) -> httpx.Response:
    """Begin a sign-in and log in at the provider; returns its redirect to the callback, not followed."""
    page = await client.get(path)
    while True:
        action = re.search(r'<form[^>]* action="([^"]+)"', page.text)
        assert action is not None, f"{page.status_code} {page.url}: {page.text[:1000]}"
        prompt = re.search(r'name="prompt" value="(\w+)"', page.text)
        assert prompt is not None, page.text
        form = {"prompt": prompt[1], "login": login, "password": "any"}
        answer = await client.post(
            urljoin(str(page.url), html.unescape(action[1])), data=form, follow_redirects=False
        )
        while answer.is_redirect:
            assert answer.next_request is not None
            if answer.next_request.url.path == CALLBACK:
                return answer
            answer = await client.send(answer.next_request, follow_redirects=False)
        page = answer


async def sign_in(client: httpx.AsyncClient, login: str, path: str = LOGIN) -> httpx.Response:
    """Sign in through the provider; returns what the browser ends on."""
    answer = await at_provider(client, login, path)
    assert answer.next_request is not None
    return await client.send(answer.next_request, follow_redirects=True)


async def who(client: httpx.AsyncClient) -> dict[str, Any] | None:
    """Whom the browser is signed in as."""
    answer = await client.get("/api/v2/auth/me")
    return answer.json() if answer.status_code == 200 else None
