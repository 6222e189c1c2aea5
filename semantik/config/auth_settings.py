"""The settings of accounts and sessions: who may sign in, and for how long.

Part of `Settings`; see `settings.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import voluptuous as vol

from semantik.config.fields import ANY, at_least, empty_or, one_of, reloadable, setting
from semantik.config.oidc_settings import OidcSettings


@dataclass(frozen=True)
class AuthSettings:
    """Who may sign in, and for how long."""

    registration: str = reloadable(
        "closed", one_of("closed", "open"), "closed: only the first user, the administrator, can register."
    )
    secret: str = setting(
        "",
        empty_or(vol.Length(min=32), "at least 32 characters"),
        "Signs the tokens; empty: generated once and kept in MongoDB.",
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
    oidc: OidcSettings = field(default_factory=OidcSettings)
