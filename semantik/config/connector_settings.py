"""The settings of connectors: which sources besides folders there may be, and what is fetched of them.

Part of `Settings`; see `settings.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from semantik.config.fields import ANY, at_least, between, networks, reloadable, setting, strong_secret


@dataclass(frozen=True)
class ConnectorSettings:
    """Sources that are no folders: git repositories, mailboxes, web sites, and what other packages add."""

    kinds: tuple[str, ...] = reloadable(
        ["git", "imap", "web"], ANY, "Kinds of sources that may be added besides folders; empty: none."
    )
    private_networks: tuple[str, ...] = reloadable(
        [],
        networks,
        "Private networks whose servers may be reached, as 10.0.0.0/8; empty: public addresses only.",
    )
    secrets_key: str = setting(
        "",
        strong_secret(),
        "Encrypts the passwords of sources; empty: generated, and kept in the data folder.",
    )
    max_source_bytes: int = reloadable(
        10 << 30, at_least(1 << 20), "What is fetched of one source and kept in the data folder, at most."
    )
    timeout_s: float = reloadable(
        60.0, between(1, 3600), "A server that is silent this long is given up until the next scan."
    )
    delay_s: float = reloadable(
        1.0, between(0, 3600), "Pause between two requests for pages; a robots.txt may ask for a longer one."
    )
