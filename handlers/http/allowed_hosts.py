"""Which names the server answers to: a page of another name must not reach it through a name of its own.

A page of the attacker's whose name is made to point to this server (DNS rebinding) sends that name as Host. An address
cannot be made to point elsewhere, so a server that listens on all addresses answers to any.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from functools import lru_cache

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_ANY = "*"
_HOST = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[^\[\]:/@\s]+))(?::\d{1,5})?\Z")


def host_name(host: str) -> str | None:
    """The name or address of a Host header, without its port; None when it is malformed."""
    match = _HOST.match(host)
    return None if match is None else (match["v6"] or match["name"]).lower().rstrip(".")


def host_allowed(name: str, listens_on: str, allowed_hosts: tuple[str, ...]) -> bool:
    """Whether a `host_name` is this server's. `listens_on` is the setting `host`, `allowed_hosts` that setting.

    An entry with a leading dot, as ".example.org", allows every name below it; "*" allows any.
    """
    if name in _LOOPBACK or name.endswith(".localhost") or name == listens_on.lower():
        return True
    if any(_matches(name, entry.lower()) for entry in allowed_hosts):
        return True
    return _is_unspecified(listens_on) and (_is_address(name) or name in _machine_names())


def _matches(name: str, entry: str) -> bool:
    if entry.startswith("."):
        return name.endswith(entry)
    return entry in (_ANY, name)


@lru_cache(maxsize=8)
def _is_unspecified(address: str) -> bool:
    return _is_address(address) and ipaddress.ip_address(address).is_unspecified


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=1)
def _machine_names() -> frozenset[str]:
    name = socket.gethostname().lower()
    return frozenset({name, name.partition(".")[0]})
