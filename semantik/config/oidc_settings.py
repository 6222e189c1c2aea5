"""The settings of signing in through an OpenID Connect provider.

Part of `Settings`; see `settings.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from semantik.config.fields import ANY, NOT_EMPTY, between, each, empty_or, reloadable

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def is_secure_url(url: str) -> bool:
    """Whether an address may carry sign-ins: https, or http of this machine alone."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port  # raises for one that is no number
    except ValueError:
        return False
    secure = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    return bool(host) and secure and parts.username is None and not parts.fragment and url.isprintable()


def _issuer(url: str) -> str:
    parts = urlsplit(url)
    if not is_secure_url(url) or parts.query or parts.fragment:
        raise ValueError("not the address of an issuer")
    return url


def _address(url: str) -> str:
    if not is_secure_url(url):
        raise ValueError("not an address")
    return url


@dataclass(frozen=True)
class OidcSettings:
    """Sign-in through an OpenID Connect provider: authorization code with PKCE."""

    issuer: str = reloadable(
        "",
        empty_or(_issuer, "the https:// address of an issuer, without a query"),
        "The provider's issuer address; empty: no sign-in through a provider.",
    )
    client_id: str = reloadable("", ANY, "The name under which the provider knows this server.")
    client_secret: str = reloadable("", ANY, "The secret of this client; empty: a public client.")
    name: str = reloadable("single sign-on", NOT_EMPTY, "What the sign-in page calls the provider.")
    redirect_url: str = reloadable(
        "",
        empty_or(_address, "the https:// address of this server that ends in /api/v2/auth/oidc/callback"),
        "Where the provider sends the browser back to; empty: made from the address that the browser uses.",
    )
    scopes: tuple[str, ...] = reloadable(
        ["openid", "profile", "email"],
        each(
            lambda scope: re.fullmatch(r"[!#-\[\]-~]+", scope) is not None,
            "a list of scopes",
        ),
        "The scopes to ask for; openid is always asked for.",
    )
    username_claim: str = reloadable(
        "preferred_username", NOT_EMPTY, "The claim that names a new account; a.b is the claim b inside of a."
    )
    groups_claim: str = reloadable("groups", NOT_EMPTY, "The claim that lists the user's groups.")
    group_map: tuple[str, ...] = reloadable(
        [],
        each(
            lambda entry: all(part.strip() for part in entry.split("=", 1)),
            "a list of groups, as claim=group, or a name alone where both are the same",
        ),
        "Groups whose members the claim decides at each sign-in, as claim=group; a name alone stands for both.",
    )
    required_group: str = reloadable(
        "", ANY, "A value of the claim without which nobody may sign in; empty: everybody may."
    )
    admin_group: str = reloadable(
        "",
        ANY,
        "A value of the claim that decides who is an administrator; empty: the claim decides nothing.",
    )
    ca_file: str = reloadable(
        "", ANY, "A PEM file of certificates to trust for the provider; empty: those of the system."
    )
    timeout_s: float = reloadable(
        10.0, between(0.1, 60), "How long one answer of the provider is waited for."
    )
    clock_skew_s: float = reloadable(
        60.0, between(0, 600), "By how much the provider's clock may differ from this server's."
    )
