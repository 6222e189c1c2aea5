"""Sign-in through a provider that is down, slow, wrong, has other keys, or another clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
from support.api import PASSWORD
from support.oidc_provider import CALLBACK, LOGIN, Provider, browser, providing, sign_in, who
from support.server import SETUP_CODE, Serving, complaints

from semantik.client.api import Client

pytestmark = [pytest.mark.gen_test, pytest.mark.noisy]

PEOPLE = {name: {"preferred_username": name} for name in ("ann", "bob", "cat")}
TIMEOUT_S = 2
SKEW_S = 60


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providing(PEOPLE, claims_in_id_token=True) as made:
        yield made


async def _site(start: Callable[..., Serving], provider: Provider, *flags: str) -> Serving:
    serving = await asyncio.to_thread(
        start,
        *("--auth-oidc-issuer", provider.issuer, "--auth-oidc-client-id", "semantik"),
        *("--auth-oidc-timeout-s", str(TIMEOUT_S), *flags),
        env={"SEMANTIK_AUTH_OIDC_CLIENT_SECRET": "a secret"},
    )
    provider(client={"client_secret": "a secret", "redirect_uris": [serving.url + CALLBACK]})
    await Client(serving.url).register("root", PASSWORD, SETUP_CODE)
    return serving


async def _refusal(serving: Serving, login: str = "ann") -> tuple[int, str]:
    """The status and the page of a sign-in that ends with nobody signed in."""
    async with browser(serving.url) as client:
        page = await sign_in(client, login)
        assert await who(client) is None
    return page.status_code, page.text


async def _signs_in(serving: Serving, login: str) -> bool:
    async with browser(serving.url) as client:
        await sign_in(client, login)
        me = await who(client)
    return me is not None and me["username"] == login


def _reports(serving: Serving) -> list[str]:
    """What the log says of sign-ins, without the lines of the requests."""
    return [line for line in complaints(serving) if " semantik.auth " in line]


async def test_keys_may_change_at_any_time_and_foreign_ones_sign_nobody_in(
    start: Callable[..., Serving], provider: Provider
) -> None:
    serving = await _site(start, provider)
    assert await _signs_in(serving, "ann")
    provider(keys="rotate")
    assert await _signs_in(serving, "ann")
    provider(keys="replace")  # another key under the name that the server knows
    assert await _signs_in(serving, "bob")
    provider(keys="rotate", publish="others")
    status, page = await _refusal(serving, "cat")
    assert status == 401 and "could not be verified" in page
    assert ["has signed the ID token" in line for line in _reports(serving)] == [True]
    provider(publish="own")
    assert await _signs_in(serving, "cat")


@pytest.mark.parametrize(
    ("skew_s", "good"), [(-SKEW_S + 20, True), (SKEW_S - 20, True), (-600, False), (600, False)]
)
async def test_clocks_may_differ_by_the_setting_only(
    start: Callable[..., Serving], provider: Provider, skew_s: int, good: bool
) -> None:
    serving = await _site(start, provider, "--auth-oidc-clock-skew-s", str(SKEW_S))
    provider(skew_s=skew_s)
    if good:
        assert await _signs_in(serving, "ann")
        return
    assert (await _refusal(serving))[0] == 401
    (line,) = _reports(serving)
    assert "expired" in line or "not yet valid" in line


async def test_a_provider_that_fails_is_named_and_tried_again(
    start: Callable[..., Serving], provider: Provider
) -> None:
    serving = await _site(start, provider)
    provider(status=500)
    async with browser(serving.url) as client:
        answers = await asyncio.gather(*(client.get(LOGIN) for _ in range(20)))
        for answer in answers:
            assert answer.status_code == 503 and answer.headers["Retry-After"]
            assert provider.issuer in answer.text and "sign in with a password" in answer.text
        provider(status=0)
        assert await _signs_in(serving, "ann")  # discovery is cached from now on
        for path in ("/token", "/me"):
            provider(status=500, only=path)
            assert (await _refusal(serving, "bob"))[0] == 503
        provider(status=0, only="")
        assert await _signs_in(serving, "bob")
        await Client(serving.url).sign_in("root", PASSWORD)
    assert len(_reports(serving)) == 1  # a minute


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/jwks"])
async def test_a_slow_provider_is_waited_for_no_longer_than_the_setting_says(
    start: Callable[..., Serving], provider: Provider, path: str
) -> None:
    serving = await _site(start, provider)
    provider(delay_ms=600_000, only=path)
    async with browser(serving.url) as client:
        page = await (client.get(LOGIN) if path.endswith("configuration") else sign_in(client, "ann"))
        assert page.status_code == 503
        assert (await client.get("/api/v2/health")).status_code == 200
    provider(delay_ms=0)
    assert await _signs_in(serving, "ann")


async def test_a_provider_that_is_down_leaves_passwords(
    start: Callable[..., Serving], provider: Provider
) -> None:
    serving = await _site(start, provider)
    provider.kill()
    async with browser(serving.url) as client:
        assert (await client.get(LOGIN)).status_code == 503
    await Client(serving.url).sign_in("root", PASSWORD)


async def test_a_wrong_client_secret_is_the_administrators_affair(
    start: Callable[..., Serving], provider: Provider
) -> None:
    serving = await _site(start, provider)
    provider(client={"client_secret": "another secret", "redirect_uris": [serving.url + CALLBACK]})
    status, page = await _refusal(serving)
    assert status == 503 and "cannot be used at the moment" in page
    (line,) = _reports(serving)
    assert "invalid_client" in line and "secret" not in line


async def test_nobody_signs_in_before_there_is_an_administrator(
    start: Callable[..., Serving], provider: Provider
) -> None:
    flags = ("--auth-oidc-issuer", provider.issuer, "--auth-oidc-client-id", "semantik")
    serving = await asyncio.to_thread(start, *flags)
    provider(client={"token_endpoint_auth_method": "none", "redirect_uris": [serving.url + CALLBACK]})
    status, page = await _refusal(serving)
    assert status == 409 and "no administrator yet" in page


async def test_without_a_provider_there_is_no_sign_in_through_one(shared: Serving) -> None:
    async with browser(shared.url) as client:
        for path in (LOGIN, CALLBACK):
            assert (await client.get(path)).status_code == 404
