"""A formula in presentational MathML as one line of text. Pure."""

from __future__ import annotations

from typing import Any

_DEEPEST = 100
_LEFT_OUT = frozenset(("annotation", "annotation-xml", "mphantom", "maction-hidden", "-comment"))
_INVISIBLE = str.maketrans("", "", "\u2061\u2062\u2063\u2064\xad")
_SEPARATE = frozenset(("mtd", "mtr", "mlabeledtr"))


def text(node: Any, depth: int = 0) -> str:
    """The formula as it is read from left to right: a fraction as (a)/(b), a power as a^b."""
    if depth > _DEEPEST:
        return " ".join(node.text().split())
    parts = [text(child, depth + 1) if child.child is not None else _leaf(child) for child in _elements(node)]
    shape = _SHAPES.get(node.tag)
    if shape and len(parts) == shape[0]:
        return shape[1].format(*(_grouped(part) for part in parts))
    if node.tag == "msqrt":
        return f"√{_grouped(''.join(parts))}"
    if node.tag == "mtable":
        return "; ".join(part.strip() for part in parts)
    if node.tag in _SEPARATE:
        return " ".join(part.strip() for part in parts) + " "
    return "".join(parts)


_SHAPES = {
    "mfrac": (2, "{}/{}"),
    "msup": (2, "{}^{}"),
    "msub": (2, "{}_{}"),
    "msubsup": (3, "{}_{}^{}"),
    "munder": (2, "{}_{}"),
    "mover": (2, "{}^{}"),
    "munderover": (3, "{}_{}^{}"),
    "mroot": (2, "root({0}, {1})"),
}


def _elements(node: Any) -> list[Any]:
    found, child = [], node.child
    while child is not None:
        if child.tag not in _LEFT_OUT and not (child.tag == "-text" and not child.text_content.strip()):
            found.append(child)
        child = child.next
    return found


def _leaf(node: Any) -> str:
    if node.tag != "-text":
        return " " if node.tag == "mspace" else ""
    words = " ".join(node.text_content.translate(_INVISIBLE).split())
    spaced = node.parent.tag == "mtext" or (
        node.parent.tag == "mo" and words in ("=", "+", "<", ">", "≤", "≥", "→")
    )
    return f" {words} " if spaced else words


def _grouped(part: str) -> str:
    part = part.strip()
    return (
        part
        if len(part) <= 1 or part.isalnum() or part.startswith("(") and part.endswith(")")
        else f"({part})"
    )
