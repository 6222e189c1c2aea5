"""The macros of BSD man pages that stand inside sentences: `.Op Fl v Ns Ar file`. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Callable

_OPENING = frozenset("([")
_CLOSING = frozenset(".,:;)]?!")
_QUOTES = {
    "Dq": "“”", "Do": "“”", "Qq": '""', "Qo": '""', "Sq": "‘’", "So": "‘’", "Ql": "‘’", "Pq": "()", "Po": "()",
    "Bq": "[]",     "Bo": "[]", "Op": "[]", "Oo": "[]", "Aq": "<>", "Ao": "<>", "Brq": "{}", "Bro": "{}",
}  # fmt: skip
_ENDS = {"Dc": "”", "Qc": '"', "Sc": "’", "Pc": ")", "Bc": "]", "Oc": "]", "Ac": ">", "Brc": "}"}
_SHOWN = {
    "Ta": "|",
    "Nx": "NetBSD",
    "Fx": "FreeBSD",
    "Ox": "OpenBSD",
    "Bx": "BSD",
    "Dx": "DragonFly",
    "Ux": "UNIX",
    "Bsx": "BSD/OS",
}
_WORDS = """Ad An Ar At Cd Cm Dv Em Er Ev Fa Fn Ft Ic In Lb Li Ms Mt No Pa Pf Sx Sy Tn Va Vt Xr Lk Nm Fl St Fd Fr
    Rv Ex Hf Ta %A %B %C %D %I %J %N %O %P %Q %R %T %U %V"""
_STANDARD = {
    "Ex": "The {} utility exits 0 on success, and >0 if an error occurs.",
    "Rv": "The {} function returns the value 0 if successful; otherwise the value -1 is returned.",
}
_PLAIN = frozenset(_WORDS.split())
MACROS = (
    _PLAIN
    | _QUOTES.keys()
    | _ENDS.keys()
    | _SHOWN.keys()
    | {"Ns", "Ap", "Xo", "Xc", "Bt", "Ud", "Nd", "Fo", "Fc"}
)


def words(line: str) -> list[str]:
    """The arguments of a line; quotes keep spaces."""
    if '"' not in line:
        return line.split()
    lexer = shlex.shlex(line, posix=True)
    lexer.whitespace_split, lexer.quotes, lexer.escape, lexer.commenters = True, '"', "", ""
    try:
        return list(lexer)
    except ValueError:
        return line.replace('"', "").split()


def inline(arguments: list[str], plain: Callable[[str], str], name: str) -> str:
    """The text of a line of macros; `name` is what `Nm` stands for."""
    return _Line(plain, name).read(arguments)


class _Line:
    def __init__(self, plain: Callable[[str], str], name: str) -> None:
        self._plain, self._name = plain, name
        self._text = ""
        self._glued = True
        self._close: list[str] = []

    def read(self, arguments: list[str]) -> str:
        at = 0
        while at < len(arguments):
            word = arguments[at]
            following = arguments[at + 1] if at + 1 < len(arguments) else ""
            if word in _QUOTES:
                self._put(_QUOTES[word][0])
                self._glued = True
                if word.endswith("q") or word in ("Op", "Ql"):
                    self._close.append(_QUOTES[word][1])
            elif word in MACROS:
                at += self._macro(word, following, arguments[at + 2 : at + 3])
            elif word in _CLOSING and all(each in _CLOSING for each in arguments[at:]):
                self._finish()
                self._text += word
            elif word in _CLOSING:
                self._text += word
            else:
                self._put(self._plain(word))
                self._glued = word in _OPENING
            at += 1
        self._finish()
        return self._text

    def _macro(self, word: str, following: str, after: list[str]) -> int:
        """Writes what a macro shows, and returns how many arguments it took."""
        taking = {
            "Xr": self._reference,
            "Fn": self._prefix,
            "Pf": self._prefix,
            "Ex": self._standard,
            "Rv": self._standard,
        }
        if word in taking and following:
            return taking[word](word, following, after)
        if word == "Ns":
            self._glued = True
        elif word == "Ap":
            self._text, self._glued = self._text + "'", True
        elif word in _ENDS:
            self._text += _ENDS[word]
        elif word in _SHOWN:
            self._put(_SHOWN[word])
        elif word == "An" and following in ("-nosplit", "-split"):
            return 1
        elif word == "Fl":
            self._put("-")
            self._glued = following == "Fl" or (bool(following) and following not in MACROS | _CLOSING)
        elif word == "Nm" and (not following or following in MACROS or following in _CLOSING):
            self._put(self._name)
        elif word == "Ar" and not following:
            self._put("file ...")
        return 0

    def _reference(self, word: str, following: str, after: list[str]) -> int:
        section = after[0] if after and after[0] not in _CLOSING else ""
        self._put(f"{following}({section})" if section else following)
        return 2 if section else 1

    def _prefix(self, word: str, following: str, after: list[str]) -> int:
        self._put(self._plain(following) + ("(" if word == "Fn" else ""))
        self._glued = True
        self._close += [")"] if word == "Fn" else []
        return 1

    def _standard(self, word: str, following: str, after: list[str]) -> int:
        self._put(_STANDARD[word].format(" ".join(after) or self._name))
        return 1 + len(after)

    def _put(self, word: str) -> None:
        self._text += word if self._glued or not self._text else " " + word
        self._glued = False

    def _finish(self) -> None:
        while self._close:
            self._text += self._close.pop()
