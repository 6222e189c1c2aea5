"""Sign-in through a real provider, by a person at a real Chromium."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from support.api import PASSWORD
from support.browser import needs_chromium
from support.oidc_provider import CALLBACK, Provider, providing
from support.patience import patience
from support.server import SETUP_CODE, Serving, complaints, serve

from semantik.client.api import Client

pytestmark = [needs_chromium, pytest.mark.server]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Serving, Provider]]:
    with providing(
        {"ann": {"preferred_username": "ann.lee"}, "root": {"preferred_username": "root"}}
    ) as provider:
        flags = ("--auth-oidc-issuer", provider.issuer, "--auth-oidc-client-id", "semantik")
        serving = serve(
            tmp_path_factory.mktemp("page_oidc") / "data", *flags, "--auth-oidc-name", "Example ID"
        )
        provider(client={"token_endpoint_auth_method": "none", "redirect_uris": [serving.url + CALLBACK]})
        asyncio.run(Client(serving.url).register("root", PASSWORD, SETUP_CODE))
        yield serving, provider
        assert serving.stop() == 0
        assert not complaints(serving)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(1000 * patience())
    yield page
    context.close()


def _at_provider(page: Page, login: str) -> None:
    page.get_by_role("link", name="Sign in with Example ID").click()
    page.locator("input[name=login]").fill(login)
    page.locator("input[name=password]").fill("any")
    page.locator("button[type=submit]").click()
    page.get_by_text("Continue").click()


def test_a_person_signs_in_with_the_provider_and_comes_back_to_the_view(
    site: tuple[Serving, Provider], page: Page, tmp_path: Path
) -> None:
    serving, _ = site
    page.goto(f"{serving.url}/#/api-keys")
    _at_provider(page, "ann")
    expect(page.locator("#tools")).to_contain_text("ann.lee")
    expect(page).to_have_url(f"{serving.url}/#/api-keys")
    cookies = {each["name"]: each for each in page.context.cookies(serving.url)}
    assert cookies["semantik_session"]["sameSite"] == "Strict" and cookies["semantik_session"]["httpOnly"]
    assert "semantik_oidc" not in cookies
    page.reload()
    expect(page.locator("#tools")).to_contain_text("ann.lee")


def test_a_person_who_is_not_signed_in_reads_why_and_finds_back(
    site: tuple[Serving, Provider], page: Page
) -> None:
    serving, _ = site
    page.goto(serving.url)
    _at_provider(page, "root")
    expect(page.get_by_role("alert")).to_contain_text("another account named root")
    page.get_by_role("link", name="Back to the sign-in page").click()
    expect(page.get_by_label("Password")).to_be_visible()
