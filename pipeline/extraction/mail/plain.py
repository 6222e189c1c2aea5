"""The plain text of e-mails: flowed lines joined, signatures' armour and uuencoded files out.

Pure; runs in the worker processes.
"""

from __future__ import annotations

import re

_SIGNED = re.compile(
    r"^-----BEGIN PGP SIGNED MESSAGE-----[ \t]*\r?\n(?:[\w-]+:[^\n]*\n)*\s*?\n"
    r"(.*?)(?:^-----BEGIN PGP SIGNATURE-----.*?(?:^-----END PGP SIGNATURE-----[ \t]*\r?(?:\n|\Z)|\Z)|\Z)",
    re.MULTILINE | re.DOTALL,
)
_ARMOUR = re.compile(
    r"^-----BEGIN (PGP (?:MESSAGE|PUBLIC KEY BLOCK|PRIVATE KEY BLOCK|SIGNATURE)[^\n-]{0,40})-----"
    r".*?(?:^-----END \1-----[ \t]*\r?$|\Z)",
    re.MULTILINE | re.DOTALL,
)
_UUENCODED = re.compile(
    rb"^begin 0?[0-7]{3} ([^\r\n]{1,200})\r?\n((?:[ -`][^\r\n]{0,90}\r?\n|[ `]?\r?\n)+?)end[ \t]*(?:\r?\n|\Z)",
    re.MULTILINE,
)


def unflowed(text: str, delete_space: bool) -> str:
    """`format=flowed` (RFC 3676): a line that ends in a space goes on in the next of the same depth of quotes."""
    paragraphs: list[list[str]] = []
    open_depth = -1  # of the paragraph that goes on, or -1
    for line in text.splitlines():
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")
        flows = content.endswith(" ") and content != "-- "
        shown = content[:-1] if flows and delete_space else content
        if open_depth == depth and content != "-- ":
            paragraphs[-1].append(shown)
        else:
            paragraphs.append([f"{'>' * depth} {shown}" if depth else shown])
        open_depth = depth if flows else -1
    return "\n".join("".join(pieces).rstrip() for pieces in paragraphs)


def without_armour(text: str) -> tuple[str, bool]:
    """The text without what PGP wrote around it, and whether a part of it was encrypted."""
    if "-----BEGIN PGP" not in text:
        return text, False
    text = _SIGNED.sub(lambda found: re.sub(r"^- ", "", found[1], flags=re.MULTILINE), text)
    encrypted = any(found[1].startswith("PGP MESSAGE") for found in _ARMOUR.finditer(text))
    return _ARMOUR.sub("", text), encrypted


def uuencoded(body: bytes) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """The body without its uuencoded files, and their (name, encoded lines)."""
    if b"begin " not in body:
        return body, []
    found = [(match[1], match[2]) for match in _UUENCODED.finditer(body)]
    return (_UUENCODED.sub(b"", body), found) if found else (body, [])


def without_tags(text: str) -> str:
    """Text of `text/enriched` and `text/richtext` without its commands."""
    text = re.sub(r"<param>.*?</param>", "", text, flags=re.DOTALL | re.IGNORECASE)
    text = re.sub(r"<nl>", "\n", text, flags=re.IGNORECASE).replace("<lt>", "<<")
    return re.sub(r"<(?!<)/?[A-Za-z][\w-]{0,60}>", "", text).replace("<<", "<")
