"""A collection of many documents, with two users, and its page in a real Chromium."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect
from support.api import index
from support.page_actions import NAME, PASSWORD, sign_in
from support.patience import patience
from support.server import SETUP_CODE, Serving

from semantik.client.api import Client

ROWS = ".documents [role=row][data-place]"


@dataclass
class World:
    serving: Serving
    collection: str

    @property
    def path(self) -> str:
        return f"/#/collections/{self.collection}"


async def make(serving: Serving, folder: Path) -> str:
    """The id of a collection of the user NAME with what is in `folder`; "reader" may read it."""
    client = Client(serving.url)
    await client.register(NAME, PASSWORD, SETUP_CODE)
    await client.sign_in(NAME, PASSWORD)
    collection, _ = await index(client, folder, "Archive")
    other = "reader"
    await client.call("POST", "users", {"username": other, "password": PASSWORD})
    await client.call("PUT", f"collections/{collection}/shares", {"user": other, "level": "read"})
    return collection


def open_table(browser: Browser, world: World, trouble: list[str], name: str = NAME, **context: Any) -> Page:
    """The collection's page, signed in, with its first rows; what its console says goes into `trouble`."""
    opened = browser.new_context(
        base_url=world.serving.url, **{"viewport": {"width": 1200, "height": 900}, **context}
    )
    opened.set_default_timeout(patience() * 1000)
    expect.set_options(timeout=patience() * 1000)
    page = opened.new_page()
    page.goto("/")
    sign_in(page, PASSWORD, name)
    expect(page.get_by_role("button", name="Account: ")).to_be_visible()
    page.on("console", lambda m: trouble.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.goto(world.path)
    expect(page.locator(ROWS).first).to_be_visible()
    expect(page.locator(".grid-waiting")).to_have_count(0)
    return page
