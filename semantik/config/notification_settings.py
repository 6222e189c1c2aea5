"""The settings of saved searches, webhooks and mail. Part of `Settings`; see `settings.py`."""

from __future__ import annotations

from dataclasses import dataclass

import voluptuous as vol

from semantik.config.fields import (
    ANY,
    at_least,
    between,
    empty_or,
    networks,
    one_of,
    reloadable,
    setting,
    strong_secret,
)


@dataclass(frozen=True)
class AlertSettings:
    """Saved searches, and the alerts that they give for what is newly indexed."""

    searches_per_user: int = reloadable(50, at_least(0), "Saved searches that one user may have; 0: none.")
    interval_s: float = reloadable(
        5.0, between(0.1, 3600), "Seconds between two looks for new passages, while there are saved searches."
    )
    per_block: int = reloadable(
        100,
        between(1, 1000),
        "Alerts of one saved search for each 20,000 new passages of a collection at most, the best ones.",
    )
    keep_days: int = reloadable(30, between(1, 3650), "Days that an alert is kept.")
    public_url: str = reloadable(
        "",
        empty_or(vol.Match(r"https?://[^\s?#]+\Z"), "an http:// or https:// URL"),
        "The server's address for links in mails and webhooks, as https://semantik.example.org; empty: no links.",
    )


@dataclass(frozen=True)
class WebhookSettings:
    """Requests that the server sends to addresses of its users."""

    per_user: int = reloadable(20, at_least(0), "Webhooks that one user may have; 0: none.")
    private_networks: tuple[str, ...] = reloadable(
        [],
        networks,
        "Private networks that webhooks may be in, as 10.0.0.0/8; empty: public addresses only.",
    )
    secrets_key: str = setting(
        "",
        strong_secret(),
        "Encrypts the secrets that sign requests; empty: generated, and kept in the data folder.",
    )
    timeout_s: float = reloadable(
        10.0, between(0.1, 60), "A receiver that takes longer to answer has failed."
    )
    attempts: int = reloadable(
        8, between(1, 30), "Attempts to deliver a message, by webhook or mail, until it is given up."
    )
    retry_s: float = reloadable(
        5.0, between(0.05, 3600), "Seconds until the second attempt; each pause is four times the one before."
    )
    retry_max_s: float = reloadable(21_600.0, at_least(0.05), "The longest pause between two attempts.")
    concurrent: int = reloadable(8, between(1, 100), "Receivers that are sent to at the same time.")
    keep_days: int = reloadable(14, between(1, 3650), "Days that a delivery is kept in the list.")


@dataclass(frozen=True)
class SmtpSettings:
    """The mail server that alerts are sent through."""

    host: str = reloadable("", ANY, "The mail server's name; empty: no mail is sent.")
    port: int = reloadable(587, between(1, 65_535), "Its port.")
    security: str = reloadable(
        "starttls",
        one_of("starttls", "tls", "none"),
        "starttls: encrypted after a greeting (port 587); tls: from the start (465); none: only on the same machine.",
    )
    username: str = reloadable("", ANY, "The name to sign in with; empty: without signing in.")
    password: str = reloadable("", ANY, "The password for it.")
    sender: str = reloadable(
        "",
        empty_or(vol.Match(r"[^@\s<>,]+@[^@\s<>,]+\Z"), "a mail address"),
        "The address that mails come from; empty: semantik@ and the name of this machine.",
    )
    timeout_s: float = reloadable(30.0, between(0.1, 300), "Seconds for a whole mail.")
