"""What the bytes of a text say. Pure; runs in the worker processes."""

from __future__ import annotations

from semantik.core.models import FailureCategory

# The mark of UTF-32 begins with that of UTF-16, so it is looked for first.
MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


class Undecodable(Exception):
    """Bytes that are no text: `category` as in ReadFailure, and one sentence for a person."""

    def __init__(self, category: FailureCategory, message: str) -> None:
        super().__init__(message)
        self.category: FailureCategory = category


def declared(data: bytes) -> str | None:
    """The encoding that the byte order mark names, if there is one."""
    return next((encoding for mark, encoding in MARKS if data.startswith(mark)), None)


def decode(data: bytes) -> str:
    """Text of any encoding: byte order marks first, then UTF-8 (a few damaged bytes are replaced), then a guess.

    Raises Undecodable when no encoding fits.
    """
    if encoding := declared(data):
        return _marked(data, encoding)
    text = data.decode("utf-8", "replace")
    beyond_ascii = len(data) - len(data.translate(None, bytes(range(128, 256))))
    if text.count("\ufffd") * 10 <= beyond_ascii:
        return text
    from charset_normalizer import from_bytes

    guess = from_bytes(data[:65_536]).best()
    if guess is None:
        raise Undecodable("unsupported", "This is not a text, or one in an encoding that cannot be told.")
    return data.decode(guess.encoding, "replace")


def _marked(data: bytes, encoding: str) -> str:
    """One damaged character is let pass, since the last is cut off in a file whose end is missing."""
    text = data.decode(encoding, "replace")
    if encoding == "utf-8-sig":
        return text
    text = text.replace("\0", "\ufffd")
    if (text.count("\ufffd") - 1) * 100 > len(text):
        name = encoding.upper()
        raise Undecodable("corrupt", f"This begins like a text in {name}, but is damaged or something else.")
    return text
