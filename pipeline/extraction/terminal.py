"""Makes text of what was sent to a terminal: logs, typescripts, tracebacks. Pure; runs in the worker processes."""

from __future__ import annotations

import re

# Sequences that set a title or a link, then those that move the cursor or set a colour, then the short ones.
_ESCAPE = re.compile(
    r"\x1b(?:[\]PX^_][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)|\[[0-?]{0,64}[ -/]{0,8}[@-~]|[ -/]{1,4}[0-~]|[0-Z\\^-~])"
    r"|\x9b[0-?]{0,64}[ -/]{0,8}[@-~]"
)
_LAST_OVERWRITE = re.compile(r"^[^\n]*\r(?=[^\r\n])", re.MULTILINE)
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")


def printed(text: str) -> str:
    """What a person sees of `text` in the end: no colours, no overstrikes, and the last state of a line."""
    if "\x1b" not in text and "\b" not in text and "\x9b" not in text:
        return text
    text = re.sub(r"\r+\n", "\n", _ESCAPE.sub("", text))
    text = _LAST_OVERWRITE.sub("", text)
    if "\b" in text:
        text = "\n".join(_without_backspaces(line) if "\b" in line else line for line in text.split("\n"))
    return _CONTROLS.sub("", text)


def _without_backspaces(line: str) -> str:
    """The line after its backspaces: `_\\bx` and `x\\bx` show an x, `xy\\b \\b` shows an x."""
    shown: list[str] = []
    at = 0
    for character in line:
        if character == "\b":
            at = max(0, at - 1)
        elif at < len(shown):
            if character != "_" or not shown[at].strip():
                shown[at] = character
            at += 1
        else:
            shown.append(character)
            at += 1
    return "".join(shown).rstrip()
