"""Types of the calls on accounts. Written by `make clients` from docs/openapi.yaml: do not change it by
hand.
"""

from __future__ import annotations

from typing import Literal, TypedDict

from semantik.client.types.shared import User


class Me(User):
    second_factor: bool


class OpenRoots(TypedDict):
    roots: list[str]
    fixed_by_settings: bool


class RecoveryCodes(TypedDict):
    recovery_codes: list[str]


class SecondFactorSecret(TypedDict):
    secret: str
    otpauth_uri: str
    qr_svg: str


class SecondFactorState(TypedDict):
    enabled: bool
    recovery_codes_left: int


class Session(TypedDict):
    id: str
    current: bool
    address: str
    client: str
    created_at: str
    expires_at: str
    last_used_at: str | None


class SessionList(TypedDict):
    items: list[Session]
    next_cursor: str | None


class Setup(TypedDict):
    user: User | None
    chooses_roots: bool
    needs_first_user: bool
    registration: Literal["closed", "open"]
    oidc: str | None


class Tokens(TypedDict):
    access_token: str
    refresh_token: str
    token_type: Literal["bearer"]
    expires_in: int
    user: User
