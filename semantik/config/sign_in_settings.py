"""The settings of the throttle of sign-ins.

Part of `Settings`; see `settings.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from semantik.config.fields import at_least, reloadable


@dataclass(frozen=True)
class SignInSettings:
    """How often a password may be tried; all servers on one Redis share the counts."""

    free_attempts: int = reloadable(
        5, at_least(1), "Wrong sign-ins to one account from one address before the next ones must wait."
    )
    free_per_address: int = reloadable(50, at_least(1), "The same to all accounts together from one address.")
    free_per_account: int = reloadable(
        100,
        at_least(1),
        "The same to one account from all addresses; then each new address has one attempt before it must wait.",
    )
    first_wait_s: float = reloadable(
        2.0, at_least(0.1), "The first wait; each further wrong sign-in doubles it."
    )
    max_wait_s: float = reloadable(300.0, at_least(1), "The longest wait.")
    forget_s: float = reloadable(3600.0, at_least(1), "Wrong sign-ins are forgotten after this time.")
    queue: int = reloadable(20, at_least(1), "Passwords that wait to be checked; more are refused.")
    queue_s: float = reloadable(10.0, at_least(0.1), "A password that waits longer to be checked is refused.")
