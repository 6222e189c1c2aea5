"""The form of a text in which it is embedded and searched; what is shown to people stays as it was read. Pure.

Documents and queries go through the same function, so that both meet in one spelling.
"""

from __future__ import annotations

import re
import unicodedata

# Characters that nobody sees: soft hyphens, zero-width spaces and joiners, marks of writing direction, byte order
# marks, and the selectors of a glyph's variants.
_INVISIBLE = dict.fromkeys(
    [
        0x00AD, 0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x3164, 0xFEFF, 0xFFA0,
        *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070),
        *range(0xFE00, 0xFE10), *range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0080), *range(0xE0100, 0xE01F0),
    ]
)  # fmt: skip
_INVISIBLE_CHARACTER = re.compile(  # in ranges: a class of single characters is searched one by one
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff9-\ufffb\U000e0000-\U000e007f\U000e0100-\U000e01ef]"
)


def is_normalized(text: str) -> bool:
    """Whether `normalized` would leave the text as it is; faster than to compare."""
    return text.isascii() or (
        unicodedata.is_normalized("NFKC", text) and _INVISIBLE_CHARACTER.search(text) is None
    )


def normalized(text: str) -> str:
    """The text in NFKC without invisible characters: ligatures and full-width letters become plain letters.

    NFKC is that of Unicode UAX #15, in the version of the running Python.
    """
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", text.translate(_INVISIBLE))
