"""Equations of Office files as a line of readable text: "x = (-b ± √(b^2 - 4ac))/(2a)". Pure.

Runs in the worker processes.
"""

from __future__ import annotations

from collections.abc import Callable
from xml.etree.ElementTree import Element

from pipeline.extraction.opc import A, M, W

_PROPERTIES = "Pr"


def equation_text(node: Element) -> str:
    """An m:oMath, or any part of one, as text on one line."""
    reader = _ELEMENTS.get(node.tag)
    if reader is not None:
        return reader(node)
    if node.tag in (f"{M}t", f"{W}t", f"{A}t"):
        return node.text or ""
    if node.tag.endswith(_PROPERTIES) or node.tag in (f"{W}del", f"{W}moveFrom"):
        return ""
    return "".join(equation_text(child) for child in node)


def _part(node: Element, name: str) -> str:
    child = node.find(M + name)
    return equation_text(child).strip() if child is not None else ""


def _property(node: Element, properties: str, name: str, default: str) -> str:
    found = node.find(f"{M}{properties}/{M}{name}")
    return default if found is None else found.get(f"{M}val", "")


def _group(text: str) -> str:
    """In brackets, where more than one sign is meant."""
    simple = len(text) < 2 or text.isalnum() or (text[0] + text[-1] == "()" and text.count("(") == 1)
    return text if simple else f"({text})"


def _fraction(node: Element) -> str:
    above, below = _part(node, "num"), _part(node, "den")
    if _property(node, "fPr", "type", "") == "noBar":
        return f"({above} over {below})"
    return f"{_group(above)}/{_group(below)}"


def _scripts(node: Element) -> str:
    below, above = _part(node, "sub"), _part(node, "sup")
    return _part(node, "e") + (f"_{_group(below)}" if below else "") + (f"^{_group(above)}" if above else "")


def _before(node: Element) -> str:
    return f"_{_group(_part(node, 'sub'))}^{_group(_part(node, 'sup'))}{_part(node, 'e')}"


def _root(node: Element) -> str:
    degree = "" if _property(node, "radPr", "degHide", "0") in ("1", "on", "true", "") else _part(node, "deg")
    sign = {"": "√", "2": "√", "3": "∛", "4": "∜"}.get(degree, f"{degree}√")
    return sign + _group(_part(node, "e"))


def _nary(node: Element) -> str:
    below, above = _part(node, "sub"), _part(node, "sup")
    sign = _property(node, "naryPr", "chr", "∫")
    limits = (f"_{_group(below)}" if below else "") + (f"^{_group(above)}" if above else "")
    return f"{sign}{limits} {_part(node, 'e')}"


def _delimited(node: Element) -> str:
    begin, end = _property(node, "dPr", "begChr", "("), _property(node, "dPr", "endChr", ")")
    inner = _property(node, "dPr", "sepChr", "|").join(
        equation_text(each).strip() for each in node.findall(f"{M}e")
    )
    return f"{begin}{inner}{end}"


def _function(node: Element) -> str:
    return f"{_part(node, 'fName')} {_part(node, 'e')}"


def _limit(node: Element) -> str:
    sign = "_" if node.tag == f"{M}limLow" else "^"
    return f"{_part(node, 'e')}{sign}{_group(_part(node, 'lim'))}"


def _accent(node: Element) -> str:
    return _part(node, "e") + _property(node, "accPr", "chr", "\u0302")


def _matrix(node: Element) -> str:
    rows = (
        ", ".join(equation_text(cell).strip() for cell in row.findall(f"{M}e"))
        for row in node.findall(f"{M}mr")
    )
    return "; ".join(rows)


def _lines(node: Element) -> str:
    return "; ".join(equation_text(each).strip() for each in node.findall(f"{M}e"))


def _paragraph(node: Element) -> str:
    equations = (equation_text(each).strip() for each in node.findall(f"{M}oMath"))
    return "\n".join(each for each in equations if each)


_ELEMENTS: dict[str, Callable[[Element], str]] = {
    f"{M}f": _fraction,
    f"{M}sSub": _scripts,
    f"{M}sSup": _scripts,
    f"{M}sSubSup": _scripts,
    f"{M}sPre": _before,
    f"{M}rad": _root,
    f"{M}nary": _nary,
    f"{M}d": _delimited,
    f"{M}func": _function,
    f"{M}limLow": _limit,
    f"{M}limUpp": _limit,
    f"{M}acc": _accent,
    f"{M}m": _matrix,
    f"{M}eqArr": _lines,
    f"{M}oMathPara": _paragraph,
}
