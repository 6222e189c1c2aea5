"""Sign-in through a real OpenID Connect provider, on a real server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import pytest
from support.api import PASSWORD
from support.oidc_provider import CALLBACK, LOGIN, Provider, at_provider, browser, providing, sign_in, who
from support.server import SETUP_CODE, Serving, complaints, serve

from semantik.client.api import Client

pytestmark = [pytest.mark.gen_test, pytest.mark.server]

PEOPLE = {
    "ann": {"preferred_username": "ann.lee", "email": "ann@example.com", "email_verified": True},
    "bob": {"preferred_username": "bob", "email": "bob@example.com", "email_verified": False},
    "cat": {"preferred_username": "Root"},
    "dan": {"email": "dan@example.com"},
}


@dataclass(frozen=True)
class Site:
    """A server with its provider; the account `root` is a local administrator."""

    serving: Serving
    provider: Provider

    @property
    def url(self) -> str:
        return self.serving.url


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with providing(PEOPLE) as provider:
        flags = ("--auth-oidc-issuer", provider.issuer, "--auth-oidc-client-id", "semantik")
        env = {"SEMANTIK_AUTH_OIDC_CLIENT_SECRET": "a secret: with/all+kinds of%characters"}
        serving = serve(tmp_path_factory.mktemp("oidc") / "data", *flags, env=env)
        provider(
            client={
                "client_secret": "a secret: with/all+kinds of%characters",
                "redirect_uris": [serving.url + CALLBACK],
            }
        )
        yield Site(serving, provider)
        assert serving.stop() == 0
        assert not complaints(serving)


@pytest.fixture(scope="module", autouse=True)
def root(site: Site) -> None:
    import asyncio

    asyncio.run(Client(site.url).register("root", PASSWORD, SETUP_CODE))


async def test_a_person_of_the_provider_gets_an_account_and_keeps_it(site: Site) -> None:
    async with browser(site.url) as first:
        page = await sign_in(first, "ann", f"{LOGIN}?return_to=%23/collections/1")
        assert page.status_code == 200 and str(page.url) == f"{site.url}/#/collections/1"
        ann = await who(first)
    assert ann is not None and not ann["is_admin"]
    assert (ann["username"], ann["email"]) == ("ann.lee", "ann@example.com")
    async with browser(site.url) as second:
        await sign_in(second, "ann")
        assert await who(second) == ann


async def test_an_address_that_was_not_verified_is_not_kept(site: Site) -> None:
    async with browser(site.url) as client:
        await sign_in(client, "bob")
        bob = await who(client)
    assert bob is not None and bob["username"] == "bob" and bob["email"] is None


async def test_the_name_of_an_existing_account_gives_no_access_to_it(site: Site) -> None:
    async with browser(site.url) as client:
        page = await sign_in(client, "cat")
        assert page.status_code == 409 and "another account named Root" in page.text
        assert page.headers["Content-Type"].startswith("text/html")
        assert await who(client) is None


async def test_a_person_without_a_name_is_refused_with_the_setting_to_change(site: Site) -> None:
    async with browser(site.url) as client:
        page = await sign_in(client, "dan")
        assert page.status_code == 403 and "auth.oidc.username_claim" in page.text


async def test_the_request_to_the_provider_has_pkce_a_nonce_and_a_state(site: Site) -> None:
    async with browser(site.url) as client:
        answer = await client.get(LOGIN, follow_redirects=False)
        again = await client.get(LOGIN, follow_redirects=False)
    assert answer.status_code == 302
    first, second = (parse_qs(urlsplit(each.headers["Location"]).query) for each in (answer, again))
    assert first["code_challenge_method"] == ["S256"] and first["response_type"] == ["code"]
    assert first["scope"] == ["openid profile email"]
    for name in ("code_challenge", "nonce", "state"):
        assert len(first[name][0]) >= 43 and first[name] != second[name]
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/api/v2/auth/oidc" in cookie


async def test_a_code_works_once_and_in_the_browser_that_began_only(site: Site) -> None:
    async with browser(site.url) as client, browser(site.url) as other:
        answer = await at_provider(client, "ann")
        callback = answer.headers["Location"]
        refused = await other.get(callback)
        assert refused.status_code == 401 and "not begun in this browser" in refused.text
        cookie = client.cookies["semantik_oidc"]
        assert (await client.get(callback)).status_code == 200
        client.cookies.clear()
        client.cookies.set("semantik_oidc", cookie)
        replayed = await client.get(callback)
        assert replayed.status_code == 401 and "no longer knows this sign-in" in replayed.text
        assert await who(client) is None


async def test_a_code_of_another_person_cannot_be_slipped_in(site: Site) -> None:
    async with browser(site.url) as victim, browser(site.url) as attacker:
        own = (await at_provider(attacker, "bob")).headers["Location"]
        code = parse_qs(urlsplit(own).query)["code"][0]
        state = parse_qs(urlsplit((await at_provider(victim, "ann")).headers["Location"]).query)["state"][0]
        page = await victim.get(f"{CALLBACK}?code={code}&state={state}&iss={site.provider.issuer}")
        assert page.status_code == 401  # PKCE: the verifier is not that of the code
        assert await who(victim) is None


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"state": "another"}, "not begun in this browser"),
        ({"state": ""}, "not begun in this browser"),
        ({"iss": "https://evil.example"}, "another provider"),
        ({"iss": None}, "another provider"),
        ({"code": None, "error": "access_denied"}, "did not sign you in (access_denied)"),
        ({"code": None, "error": "<script>"}, "did not sign you in;"),
    ],
)
async def test_an_answer_that_was_changed_is_refused(
    site: Site, change: dict[str, str | None], word: str
) -> None:
    async with browser(site.url) as client:
        query = parse_qs(urlsplit((await at_provider(client, "ann")).headers["Location"]).query)
        sent = {name: values[0] for name, values in query.items()} | change
        page = await client.get(CALLBACK, params={n: v for n, v in sent.items() if v is not None})
        assert page.status_code == 401 and word in page.text
        assert await who(client) is None


@pytest.mark.parametrize("place", ["//evil.example", "https://evil.example", "#x", "#/ a", "#/a\nb", "#/ä"])
async def test_a_sign_in_leads_to_this_page_only(site: Site, place: str) -> None:
    async with browser(site.url) as client:
        answer = await at_provider(
            client, "ann", str(client.build_request("GET", LOGIN, params={"return_to": place}).url)
        )
        back = await client.get(answer.headers["Location"], follow_redirects=False)
        assert back.status_code == 302 and back.headers["Location"] == "/"


async def test_a_program_gets_a_problem(site: Site) -> None:
    async with browser(site.url) as client:
        answer = await client.get(CALLBACK, headers={"Accept": "application/json"})
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_the_session_is_one_like_others(site: Site) -> None:
    async with browser(site.url) as client:
        await sign_in(client, "ann")
        cookie = client.cookies["semantik_session"]
        assert (await client.post("/api/v2/auth/logout")).status_code == 204
        client.cookies.set("semantik_session", cookie)
        assert await who(client) is None
        me = await client.post("/api/v2/auth/login", json={"username": "ann.lee", "password": ""})
        assert me.status_code in (401, 422)  # the account has no password


async def test_the_page_is_told_of_the_provider(site: Site) -> None:
    assert (await Client(site.url).call("GET", "auth/setup"))["oidc"] == "single sign-on"
