"""The user whom the seed document's clients sign in as, and these clients as they lie in `tests/seed/`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from argon2 import PasswordHasher
from support.patience import patience
from support.server import ROOT, SETUP_CODE, Serving

from semantik.storage.mongo import Store

CLIENTS = ROOT / "tests" / "seed"
WHERE = "localhost:8080"
NAME, PASSWORD = "test@example.com", "password"
_ALLOWED = "a good password"
FILES = 5


def client(name: str) -> str:
    """A client's text, as it was published."""
    return (CLIENTS / name).read_text()


def folder_of_texts(folder: Path) -> Path:
    for number in range(FILES):
        (folder / f"{number}.txt").write_text(f"Text {number} tells of the harvest.")
    return folder


@dataclass(frozen=True)
class SeedUser:
    """The seed's user, signed in. `netloc` is where the server is, by the name that the seed calls it."""

    serving: Serving
    rest: httpx.Client
    token: str

    @property
    def netloc(self) -> str:
        return f"localhost:{urlsplit(self.serving.url).port}"

    def index(self, folder: Path, name: str, **more: Any) -> str:
        """Begin to index a folder; returns the operation's id."""
        answer = self.rest.post("collections", json={"name": name, "source_path": str(folder), **more})
        return str(answer.raise_for_status().json()["operation_id"])


async def _set_password(serving: Serving) -> None:
    """Give the user the seed's password, which registrations refuse now: the account is older than that rule."""
    async with Store(serving.stores.mongo_url, serving.stores.database) as store:
        user = await store.users.by_login(NAME)
        assert user is not None
        await store.users.update(user.id, {"password_hash": PasswordHasher(1, 8, 1).hash(PASSWORD)})


@contextmanager
def seed_user(serving: Serving) -> Iterator[SeedUser]:
    """Register the user where it is not known yet, and sign in."""
    somebody = {"username": NAME, "password": PASSWORD}
    with httpx.Client(base_url=f"{serving.url}/api/v2", timeout=patience()) as rest:
        if rest.post("auth/login", json=somebody).status_code == httpx.codes.UNAUTHORIZED:
            new = {"username": NAME, "password": _ALLOWED, "setup_code": SETUP_CODE}
            rest.post("auth/register", json=new).raise_for_status()
            with ThreadPoolExecutor(1) as thread:  # the test may have a loop that runs
                thread.submit(asyncio.run, _set_password(serving)).result()
        token = rest.post("auth/login", json=somebody).raise_for_status().json()["access_token"]
        rest.headers["Authorization"] = f"Bearer {token}"
        yield SeedUser(serving, rest, token)
