"""The form of a text in which it is embedded and searched; what is shown to people stays as it was read. Pure.

Documents and queries go through the same function, so that both meet in one spelling.
"""

from __future__ import annotations

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


def normalized(text: str) -> str:
    """The text in NFKC without invisible characters: ligatures and full-width letters become plain letters.

    NFKC is that of Unicode UAX #15, in the version of the running Python.
    """
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", text.translate(_INVISIBLE))
