"""The settings of accounts: who may sign in, for how long, and what signs and encrypts their tokens and secrets.

Part of `Settings`; see `settings.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import voluptuous as vol

from semantik.config.fields import (
    ANY,
    at_least,
    between,
    empty_or,
    one_of,
    reloadable,
    setting,
    strong_secret,
)
from semantik.config.oidc_settings import OidcSettings

_SECRET = strong_secret()


@dataclass(frozen=True)
class AuthSettings:
    """Who may sign in, and for how long."""

    registration: str = reloadable(
        "closed", one_of("closed", "open"), "closed: only the first user, the administrator, can register."
    )
    secret: str = setting(
        "", _SECRET, "Signs the tokens; empty: generated, kept in MongoDB, and replaced by itself."
    )
    previous_secret: str = setting(
        "", _SECRET, "The secret before, whose tokens stay good until they expire; empty: none."
    )
    rotate_secret_s: int = reloadable(
        30 * 86_400,
        at_least(0),
        "A generated secret that is older is replaced; tokens of the one before stay good. 0 is never.",
    )
    setup_code: str = setting(
        "",
        empty_or(vol.Length(min=16), "at least 16 characters"),
        "Whoever registers the first user must give it; empty: the server makes one and prints it.",
    )
    access_token_s: int = reloadable(900, at_least(10), "Lifetime of an access token.")
    session_s: int = reloadable(
        14 * 86_400, at_least(60), "Lifetime of a session: of its cookie and its refresh token."
    )
    refresh_grace_s: float = reloadable(
        10.0,
        between(0, 300),
        "How long a refresh token or cookie that was just replaced may still be used, by parallel requests.",
    )
    sessions_per_user: int = reloadable(
        1000, at_least(1), "Sessions of one user; a sign-in beyond them ends the oldest."
    )
    api_key_days: int = reloadable(
        90, between(1, 3650), "Lifetime of an API key whose creator states none, in days."
    )
    api_keys_per_user: int = reloadable(100, at_least(1), "API keys of one user, expired ones included.")
    second_factor_key: str = setting(
        "",
        _SECRET,
        "Encrypts the secrets of second factors; empty: generated, and kept in the data folder.",
    )
    create_accounts: bool = reloadable(
        True, ANY, "Whether a sign-in through a provider or a proxy creates the account that it needs."
    )
    link_accounts: str = reloadable(
        "none",
        one_of("none", "email", "username"),
        "The existing account that such a sign-in may take: none, or that of the same verified e-mail or name.",
    )
    external_session_s: int = reloadable(
        43_200, at_least(60), "Lifetime of a session that a provider or a proxy has vouched for."
    )
    proxy_user_header: str = reloadable(
        "",
        empty_or(vol.Match(r"[A-Za-z0-9-]+\Z"), "the name of a header"),
        "The header in which a proxy of trusted_proxies names the user whom it has signed in; empty: none.",
    )
    oidc: OidcSettings = field(default_factory=OidcSettings)
