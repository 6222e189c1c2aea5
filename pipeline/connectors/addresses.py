"""URLs that users give for sources, checked and in one form. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote, urlsplit

from semantik.core.errors import Invalid

_PORTS = {"http": 80, "https": 443}
_UNRESERVED = "/:@!$&'()*+,;=~-._"


@dataclass(frozen=True)
class HttpAddress:
    """An http or https URL without a user, a fragment and needless parts; `path` begins with a slash."""

    scheme: str
    host: str
    port: int
    path: str
    query: str = ""

    @property
    def origin(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _PORTS[self.scheme] else f":{self.port}")

    @property
    def url(self) -> str:
        return f"{self.origin}{self.path}" + (f"?{self.query}" if self.query else "")


def http_address(text: str, option: str) -> HttpAddress:
    """The address that a text stands for. Raises Invalid, which repeats no password."""
    expected = f"options.{option} is not allowed: a URL as https://example.org/path is expected"
    try:
        split = urlsplit(text)
        port = split.port
    except ValueError as error:
        raise Invalid(f"{expected}.") from error
    if split.username is not None or split.password is not None:
        raise Invalid(f"{expected}, without a user and a password: there are options for these.")
    if split.scheme not in _PORTS or not split.hostname or port == 0:
        raise Invalid(f"{expected}.")
    return HttpAddress(
        split.scheme, _host(split, expected), port or _PORTS[split.scheme], _path(split), split.query
    )


def _host(split: SplitResult, expected: str) -> str:
    host = (split.hostname or "").rstrip(".")
    if ":" in host:
        return host
    try:
        ascii_host = host.encode("idna").decode() if not host.isascii() else host
    except UnicodeError as error:
        raise Invalid(f"{expected}.") from error
    if not ascii_host or not all(char.isalnum() or char in "-._" for char in ascii_host):
        raise Invalid(f"{expected}.")
    return ascii_host


def _path(split: SplitResult) -> str:
    """The path with one way of writing each character, and without the steps . and .."""
    steps: list[str] = []
    for step in (split.path or "/").split("/")[1:]:
        if step == "..":
            del steps[-1:]
        elif step != ".":
            steps.append(
                quote(
                    unquote(step, errors="surrogateescape"),
                    _UNRESERVED.replace("/", ""),
                    errors="surrogateescape",
                )
            )
    if split.path.endswith(("/.", "/..")):
        steps.append("")
    return "/" + "/".join(steps)
