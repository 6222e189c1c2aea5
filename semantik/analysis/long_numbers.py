"""Long numbers that are written in pieces, of telephones, accounts and devices, in one piece each. Pure.

People type them with other spaces and signs than a text has, and leave out the codes of a country or of a city.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from semantik.analysis.dates import dates_of
from semantik.analysis.folding import folded
from semantik.analysis.numbers import dialled

_SPACES = " \u00a0\u2009\u202f"
_PIECE = r"\(?\d+(?:[)/-]{1,2}\(?\d+)*\)?"
_NUMBER = re.compile(
    rf"(?<![\w.,:/-])(?<!\d[{_SPACES}])(?:\+|[A-Za-z]{{2}}(?=\d\d[{_SPACES}]))?{_PIECE}"
    rf"(?:[{_SPACES}]{{1,2}}{_PIECE}){{1,7}}(?![{_SPACES}]?\(?\d|\w|[.,:/-]\d)"
    # The number of an account, as ISO 13616 prints it: some countries have letters in it.
    rf"|\b[A-Z]{{2}}\d\d(?:[{_SPACES}][A-Z0-9]{{4}}){{2,7}}(?:[{_SPACES}][A-Z0-9]{{1,3}})?\b"
)
_ADJACENT = re.compile(
    rf"\d\)?[{_SPACES}]{{1,2}}\(?\d"
)  # nearly no text has this, and it is found much faster
_GROUPED = re.compile(rf"\d{{1,3}}(?:[{_SPACES}]\d{{3}})+")
_SIGNS = re.compile(r"\W+")
_SHORTEST, _LONGEST = 7, 34  # characters; the number of an account has at most 34
_CODES = 3  # that people may leave out: of a country, "(0)", and of a city


def long_numbers(text: str) -> Iterator[tuple[int, int, str]]:
    """The start and end of each number in pieces, and a form in one piece; several forms for a number to dial."""
    for match in _NUMBER.finditer(text) if _ADJACENT.search(text) else ():
        if _GROUPED.fullmatch(match[0]) or any(map(dates_of, match[0].split())):
            continue
        pieces = [folded(piece) for piece in match[0].split()]
        plain = [_SIGNS.sub("", piece) for piece in pieces]
        forms: dict[str, None] = {}
        for at in range(1 if not plain[0].isdecimal() else min(len(plain), _CODES + 1)):
            # "(0)" is dialled only within the country.
            number = "".join(
                each for index, each in enumerate(plain[at:], at) if pieces[index] != "(0)" or index == at
            )
            if _SHORTEST <= len(number) <= _LONGEST:
                forms |= dict.fromkeys((number, *(dialled(number) if number.isdecimal() else ())))
        for form in forms:
            yield match.start(), match.end(), form
