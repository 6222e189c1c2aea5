"""The headers of every answer that tell a browser what it must not do."""

from __future__ import annotations

from types import MappingProxyType

_ALWAYS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_TLS = {**_ALWAYS, "Strict-Transport-Security": "max-age=31536000"}


def security_headers(protocol: str) -> MappingProxyType[str, str]:
    """The headers of an answer to a request whose scheme is `protocol`: over TLS, the browser shall keep to TLS."""
    return MappingProxyType(_TLS if protocol == "https" else _ALWAYS)
