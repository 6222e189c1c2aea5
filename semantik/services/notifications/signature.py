"""Signatures of webhook requests as in Standard Webhooks (symmetric, v1). Pure.

https://github.com/standard-webhooks/standard-webhooks
"""

from __future__ import annotations

import base64
import hmac
import secrets

_PREFIX = "whsec_"
_SECRET_BYTES = 32


def new_secret() -> str:
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signed_headers(secret: str, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of a request that is sent at `timestamp` (seconds since 1970).

    `message_id` is the same at each attempt, so that a receiver can tell that it has the message already.
    """
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    signature = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }
