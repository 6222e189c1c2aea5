"""Globs with the rules of .gitignore, matched against names and paths of a walk. Pure.

A glob without a slash is matched against names at any depth; one with a slash against the path relative to the
folder that is walked. `*` and `?` stop at a slash, `**/` is any number of folders, also none, and `/**` is everything
below. A slash at the end means folders only. A backslash makes the next character literal. Case-sensitive.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from semantik.core.errors import Invalid

_STAR = "*"
_SPECIAL = frozenset("*?[\\/!")


class Globs:
    """Globs, compiled into two regular expressions. Raises Invalid for the first bad one, and names it.

    The time of a match is linear in the length of the path: groups are atomic, so there is no backtracking.
    """

    def __init__(self, globs: Sequence[str]) -> None:
        compiled = [(glob, _expression(glob)) for glob in globs]
        # Most globs are just a name, and most names match none: a look-up in a set is faster than an expression.
        self._plain = frozenset(glob for glob in globs if not _SPECIAL & set(glob))
        patterns = [(glob, each) for glob, each in compiled if glob not in self._plain]
        self._names = _any_of([each for glob, each in patterns if not _is_path(glob)])
        self._paths = _any_of([each for glob, each in patterns if _is_path(glob)])

    def match(self, path: str, folder: bool = False) -> bool:
        """Whether a glob matches this path, relative to the walked folder; `folder`: it is the path of a folder."""
        name = path.rpartition("/")[2]
        if name in self._plain:
            return True
        end = "/" if folder else ""
        if self._names is not None and self._names.fullmatch(name + end):
            return True
        return self._paths is not None and self._paths.fullmatch(path + end) is not None

    def __bool__(self) -> bool:
        return bool(self._plain) or self._names is not None or self._paths is not None


def expand_folder_globs(globs: Sequence[str]) -> tuple[str, ...]:
    """The globs, with each one for folders (`drafts/`) replaced by one for all files below them."""
    return tuple(_below(glob) if glob.endswith("/") and glob.strip("/") else glob for glob in globs)


def _below(folder: str) -> str:
    return f"{folder}**" if _is_path(folder) else f"**/{folder}**"


def _is_path(glob: str) -> bool:
    return "/" in glob[:-1]


def _any_of(expressions: Sequence[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(expressions), re.DOTALL) if expressions else None


def _expression(glob: str) -> str:
    """The regular expression for one glob; a folder's path ends with a slash there."""
    body = glob.removeprefix("/")
    folder_only = body.endswith("/")
    parts = body.removesuffix("/").split("/")
    if "" in parts:
        raise _bad(
            glob, "there is no name" if not body.strip("/") else "there is no name between two slashes"
        )
    if glob.startswith("!"):
        raise _bad(glob, "it begins with an exclamation mark; write \\! for a name that does")
    if "." in parts or ".." in parts:
        raise _bad(glob, "it is relative to the scanned folder, and may hold neither . nor .. as a folder")
    # Between two `**` the first match is as good as any later one, so each run is atomic; only the last may backtrack.
    runs: list[list[str]] = [[]]
    for part in parts[:-1]:
        if part == "**":
            runs.append([])
        else:
            runs[-1].append(_name(glob, part) + "/")
    final = ".+" if parts[-1] == "**" else _name(glob, parts[-1])
    runs[-1].append(final + ("/" if folder_only else "/?"))
    anywhere = ("(?>(?:[^/]++/)*?" + "".join(run) + ")" for run in runs[1:-1])
    last = "(?:[^/]++/)*" + "".join(runs[-1]) if len(runs) > 1 else ""
    first = "".join(runs[0])
    return f"(?:{first}{''.join(anywhere)}{last})"


def _name(glob: str, part: str) -> str:
    """The expression for one name, atomic; it matches only a complete name."""
    literals = [""]
    tokens = _tokens(glob, part)
    for token in tokens:
        if token == _STAR:
            literals.append("")
        else:
            literals[-1] += token
    middle = "".join(f"(?>[^/]*?{literal})" for literal in literals[1:-1] if literal)
    end = f"[^/]*{literals[-1]}" if len(literals) > 1 else ""
    # `*` may match nothing, but a name is never empty.
    return f"(?>(?!/|\\Z){literals[0]}{middle}{end}(?=/|\\Z))"


def _tokens(glob: str, part: str) -> list[str]:
    tokens = []
    at = 0
    while at < len(part):
        char = part[at]
        at += 1
        if char == "*":
            tokens.append(_STAR)
        elif char == "?":
            tokens.append("[^/]")
        elif char == "[":
            token, at = _set(glob, part, at)
            tokens.append(token)
        elif char == "\\":
            if at == len(part):
                raise _bad(glob, "nothing follows its backslash")
            tokens.append(re.escape(part[at]))
            at += 1
        else:
            tokens.append(re.escape(char))
    return tokens


def _set(glob: str, part: str, at: int) -> tuple[str, int]:
    """The expression for the character set whose bracket opened before `at`, and the position after its end."""
    start = at
    if part[at : at + 1] in ("!", "^"):
        at += 1
    negated = at > start
    members: list[str] = []
    while at == start + negated or part[at : at + 1] != "]":
        char = part[at : at + 1]
        if char == "\\":
            at += 1
            char = part[at : at + 1]
        if not char:
            raise _bad(glob, "its [ is never closed; write \\[ for the character itself")
        members.append(char)
        at += 1
        if part[at : at + 1] == "-" and part[at + 1 : at + 2] not in ("", "]"):
            at += 2 if part[at + 1] == "\\" else 1
            high = part[at : at + 1]
            if high < char:
                raise _bad(glob, f"the range {char}-{high} holds nothing")
            members[-1] += f"-{high}"
            at += 1
    inner = "".join(
        re.escape(each[0]) + (f"-{re.escape(each[2:])}" if len(each) > 1 else "") for each in members
    )
    return f"[^/{inner}]" if negated else f"(?!/)[{inner}]", at + 1


def _bad(glob: str, why: str) -> Invalid:
    return Invalid(f"The glob {glob!r} cannot be used: {why}.")
