"""Whose account a person of a provider takes, and what the provider's groups decide, on a real server and provider."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from support.api import PASSWORD
from support.oidc_provider import CALLBACK, browser, providing, sign_in, who
from support.server import SETUP_CODE, Serving, complaints

from semantik.client.api import Client

pytestmark = [pytest.mark.gen_test]

Start = Callable[..., Serving]
PEOPLE: dict[str, dict[str, Any]] = {
    "root": {"preferred_username": "root", "email": "r@other.org", "email_verified": True},
    "ann": {"preferred_username": "ann", "groups": ["staff", "/research", "admins"]},
    "bob": {"preferred_username": "bob", "groups": "staff"},
    "eve": {
        "preferred_username": "eve",
        "email": "root@example.com",
        "email_verified": False,
        "groups": ["staff"],
    },
    "rue": {"preferred_username": "rue", "email": "ROOT@example.com", "email_verified": True},
    "sam": {"preferred_username": "sam", "realm_access": {"roles": ["staff"]}},
}


async def _site(start: Start, provider: Any, *flags: str) -> tuple[Serving, Client]:
    """A server, and its first administrator."""
    base = ("--auth-oidc-issuer", provider.issuer, "--auth-oidc-client-id", "semantik")
    serving = await asyncio.to_thread(start, *base, *flags)
    provider(client={"token_endpoint_auth_method": "none", "redirect_uris": [serving.url + CALLBACK]})
    root = Client(serving.url)
    first = {"username": "root", "password": PASSWORD, "email": "root@example.com", "setup_code": SETUP_CODE}
    await root.call("POST", "auth/register", first)
    await root.sign_in("root", PASSWORD)
    return serving, root


async def _signed_in(serving: Serving, login: str) -> dict[str, Any] | int:
    """Whom the sign-in has signed in, or else the status."""
    async with browser(serving.url) as client:
        page = await sign_in(client, login)
        return await who(client) or page.status_code


@pytest.mark.noisy
async def test_groups_decide_who_may_sign_in_and_what_they_belong_to(start: Start) -> None:
    people = {name: dict(claims) for name, claims in PEOPLE.items()}
    with providing(people) as provider:
        serving, root = await _site(
            start,
            provider,
            *("--auth-oidc-required-group", "staff", "--auth-oidc-admin-group", "admins"),
            *("--auth-oidc-group-map", "staff, /research=Research, admins=Research, none=Empty"),
        )
        assert await _signed_in(serving, "root") == 403
        ann, bob = await _signed_in(serving, "ann"), await _signed_in(serving, "bob")
        assert isinstance(ann, dict) and isinstance(bob, dict)
        assert (ann["is_admin"], bob["is_admin"]) == (True, False)
        groups = {each["name"]: each for each in (await root.call("GET", "groups"))["items"]}
        members = {name: {each["id"] for each in group["members"]} for name, group in groups.items()}
        assert members == {"staff": {ann["id"], bob["id"]}, "Research": {ann["id"]}}

        own = await root.call("POST", "groups", {"name": "Own"})
        for user in (ann, bob):
            await root.call("PUT", f"groups/{own['id']}/members/{user['id']}")
        await root.call("PUT", f"groups/{groups['Research']['id']}/members/{bob['id']}")
        again = await _signed_in(serving, "bob")
        assert again == bob
        groups = {each["name"]: each for each in (await root.call("GET", "groups"))["items"]}
        members = {name: {each["id"] for each in group["members"]} for name, group in groups.items()}
        assert members["Research"] == {ann["id"]} and members["Own"] == {ann["id"], bob["id"]}

        await root.call("PATCH", f"users/{bob['id']}", {"is_admin": True})
        again = await _signed_in(serving, "bob")
        assert isinstance(again, dict) and not again["is_admin"]
    assert [line for line in complaints(serving) if " semantik.auth " in line] == []


async def test_a_claim_may_be_inside_of_another(start: Start) -> None:
    with providing(PEOPLE) as provider:
        flags = ("--auth-oidc-groups-claim", "realm_access.roles", "--auth-oidc-required-group", "staff")
        serving, _ = await _site(start, provider, *flags)
        assert isinstance(await _signed_in(serving, "sam"), dict)
        assert await _signed_in(serving, "ann") == 403


async def test_only_a_verified_address_links_an_account(start: Start) -> None:
    with providing(PEOPLE) as provider:
        serving, root = await _site(start, provider, "--auth-link-accounts", "email")
        eve, rue = await _signed_in(serving, "eve"), await _signed_in(serving, "rue")
        assert isinstance(eve, dict) and isinstance(rue, dict)
        assert eve["username"] == "eve" and not eve["is_admin"]
        assert rue == await root.call("GET", "auth/me")
        assert await _signed_in(serving, "root") == 409  # of the same name alone


async def test_a_name_links_an_account_and_no_account_is_created(start: Start) -> None:
    with providing(PEOPLE) as provider:
        flags = ("--auth-link-accounts", "username", "--auth-create-accounts", "false")
        serving, root = await _site(start, provider, *flags)
        assert await _signed_in(serving, "root") == await root.call("GET", "auth/me")
        assert await _signed_in(serving, "ann") == 403


async def test_a_deleted_account_is_made_anew_and_a_disabled_one_stays_closed(start: Start) -> None:
    with providing(PEOPLE) as provider:
        serving, root = await _site(start, provider)
        first = await _signed_in(serving, "ann")
        assert isinstance(first, dict)
        await root.call("PATCH", f"users/{first['id']}", {"disabled": True})
        assert await _signed_in(serving, "ann") == 403
        await root.call("DELETE", f"users/{first['id']}")
        second = await _signed_in(serving, "ann")
        assert isinstance(second, dict) and second["id"] != first["id"]


async def test_sign_ins_at_the_same_time_create_one_account(start: Start) -> None:
    with providing(PEOPLE) as provider:
        serving, _ = await _site(start, provider)
        found = await asyncio.gather(*(_signed_in(serving, "ann") for _ in range(4)))
        assert all(isinstance(each, dict) for each in found)
        assert len({each["id"] for each in found if isinstance(each, dict)}) == 1
