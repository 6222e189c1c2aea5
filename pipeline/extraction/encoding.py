"""Decodes the bytes of a text. Pure; runs in the worker processes."""

from __future__ import annotations

from pipeline.extraction import charset_guess, iso_2022_jp, utf_16
from pipeline.extraction.content import ExtractError

# The mark of UTF-32 starts with that of UTF-16, so it comes first.
BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_GUESS_FROM = 65_536  # bytes from the beginning of the text
# German, French, Spanish, Portuguese, Italian, Dutch, Swedish, Danish and Norwegian, Finnish.
_WESTERN_LETTERS = tuple(
    frozenset(letters)
    for letters in (
        "äöüßé", "éèêëàâçîïôûùüœæ", "áéíóúñüç", "áâãàçéêíóôõúü", "àèéìîòù", "éëïèóüöáê", "åäöéü", "æøåéüö", "äöåšžé",
    )
)  # fmt: skip
_WESTERN_MARKS = frozenset("€‚„…‘’“”•–—™\xa0¡§©«®°²´µ·»½¼¾¿×ªº¢£")


def encoding_of_mark(data: bytes) -> str | None:
    """The encoding that the byte order mark names, if there is one."""
    return next((encoding for mark, encoding in BYTE_ORDER_MARKS if data.startswith(mark)), None)


def decode(data: bytes) -> str:
    """Text of any encoding: byte order marks, UTF-16 and the escapes of ISO-2022-JP first, then UTF-8, then a guess.

    A few damaged bytes of UTF-8 are replaced. Raises ExtractError when no encoding fits.
    """
    if encoding := encoding_of_mark(data):
        return _decode_marked(data, encoding)
    if sixteen := utf_16.unmarked(data):
        return data.decode(sixteen, "replace")
    if iso_2022_jp.is_likely(data) and (japanese := iso_2022_jp.decode(data)):
        return japanese
    text = data.decode("utf-8", "replace")
    beyond_ascii = len(data) - len(data.translate(None, bytes(range(128, 256))))
    if text.count("\ufffd") * 10 <= beyond_ascii:
        return text
    if _is_western(data):
        return data.decode("cp1252")
    if codec := charset_guess.guess(data):
        return data.decode(codec, "replace")
    from charset_normalizer import from_bytes

    guess = from_bytes(data[:_GUESS_FROM]).best()
    if guess is None:
        raise ExtractError("unsupported", "This is not a text, or one in an encoding that cannot be told.")
    return data.decode(guess.encoding, "replace")


def _is_western(data: bytes) -> bool:
    """Whether the text is in cp1252: its letters beyond ASCII are then those of one language.

    A guess by frequencies takes a short French text for a Polish one.
    """
    try:
        text = data[:_GUESS_FROM].decode("cp1252")
    except UnicodeDecodeError:
        return False
    letters = set(text) - _WESTERN_MARKS
    if charset_guess.marks_in_words(text) * 4 > sum(letter > "\x7f" for letter in text):
        return False
    beyond = {letter.lower() for letter in letters if ord(letter) > 127}
    return any(beyond <= language for language in _WESTERN_LETTERS)


def _decode_marked(data: bytes, encoding: str) -> str:
    """One damaged character is accepted, since a file whose end is missing has cut the last one off."""
    text = data.decode(encoding, "replace")
    if encoding == "utf-8-sig":
        return text
    text = text.replace("\0", "\ufffd")
    if (text.count("\ufffd") - 1) * 100 > len(text):
        name = encoding.upper()
        raise ExtractError("corrupt", f"This begins like a text in {name}, but is damaged or something else.")
    return text
