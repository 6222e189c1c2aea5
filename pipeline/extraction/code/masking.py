"""Hides the comments and strings of source code, so that brackets and keywords in them do not count.

Pure; the masked text has the length and the lines of the source.
"""

from __future__ import annotations

import re

INSIDE = "\x01"  # stands for the characters of a string on its second and later lines

_STRING = r'"(?:\\.|[^"\\\n])*"'
_CHARACTER = r"'(?:\\.|[^'\\\n])*'"
_BLOCK = r"/\*[\s\S]*?(?:\*/|\Z)"
_TRIPLE = r'"""[\s\S]*?(?:"""|\Z)'
_DIRECTIVE = r"(?P<directive>^[ \t]*\#(?:\\\r?\n|[^\n])*)"
_REGEX = r"(?<=[=(,:\[!&|?{};\n])[ \t]*/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/"

_COMMENTS = {
    "slashes": rf"(?P<comment>//[^\n]*|{_BLOCK})",
    "hash": r"(?P<comment>(?:^|(?<=[\s;]))\#[^\n]*)",
    "php": rf"(?P<comment>//[^\n]*|\#(?!\[)[^\n]*|{_BLOCK})",
    "ruby": r"(?P<comment>^=begin\b[\s\S]*?(?:^=end\b[^\n]*|\Z)|(?:^|(?<=[\s;]))\#[^\n]*)",
    "perl": r"(?P<comment>^=[a-z]\w*[\s\S]*?(?:^=cut\b[^\n]*|\Z)|(?:^|(?<=[\s;]))\#[^\n]*)",
    "lua": r"(?P<comment>--\[(?P<level>=*)\[[\s\S]*?(?:\](?P=level)\]|\Z)|--[^\n]*)",
    "sql": rf"(?P<comment>--[^\n]*|{_BLOCK})",
}
_HEREDOC = (
    r"<<[-~]?(?P<quote>['\"]?)(?P<word>[A-Za-z_]\w*)(?P=quote)[^\n]*\n[\s\S]*?(?:^[ \t]*(?P=word)\b|\Z)"
)
_STRINGS = {
    "c": (r'R"(?P<raw>[^()\s\\]{0,16})\([\s\S]*?(?:\)(?P=raw)"|\Z)', _STRING, _CHARACTER),
    "rust": (
        r'\br(?P<raw>\#*)"[\s\S]*?(?:"(?P=raw)|\Z)',
        r'"(?:\\[\s\S]|[^"\\])*"',
        r"'(?:\\[^'\n]{1,10}|[^'\\\n])'",
    ),
    "csharp": (_TRIPLE, r'@\$?"(?:""|[^"])*"', _STRING, _CHARACTER),
    "jvm": (_TRIPLE, _STRING, _CHARACTER),
    "go": (r"`[^`]*`", _STRING, _CHARACTER),
    "javascript": (_REGEX, r"`(?:\\[\s\S]|[^`\\])*`", _STRING, _CHARACTER),
    "python": (_TRIPLE, r"'''[\s\S]*?(?:'''|\Z)", _STRING, _CHARACTER),
    "none": (r"(?!)",),
    "script": (_HEREDOC, _STRING, _CHARACTER),
}


def masker(comments: str, strings: str, *, directives: bool = False) -> re.Pattern[str]:
    """What `masked` hides: names of the tables above; `directives` are those of the C preprocessor."""
    parts = [_COMMENTS[comments], *([_DIRECTIVE] if directives else []), *_STRINGS[strings]]
    return re.compile("|".join(parts), re.MULTILINE)


def masked(source: str, hidden: re.Pattern[str]) -> str:
    """Comments become spaces, strings become "_" and INSIDE, and directives become ";"; the line ends stay."""
    return hidden.sub(_masked, source)


def _masked(found: re.Match[str]) -> str:
    first, *others = found[0].split("\n")
    if found.lastgroup in ("comment", "level"):
        filling = later = " "
    elif found.lastgroup == "directive":
        filling = later = ";"
    else:
        filling, later = "_", INSIDE
    return "\n".join([filling * len(first), *(later * len(line) for line in others)])
