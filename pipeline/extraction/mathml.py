"""Equations in MathML as a line of readable text: "x^2/(2a)". Pure; runs in the worker processes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree.ElementTree import Element

from pipeline.extraction.raised_text import lowered, raised

_SILENT = {"annotation", "annotation-xml", "none", "mphantom"}
_SPACED = set("=<>≤≥≠≈+−-±×·÷→⇒⇔∈∉⊂⊆∪∩∧∨∼≡")
_APPLIES = "\u2061"  # between a function and its argument
_UNSEEN = {ord(_APPLIES): None, 0x2062: None, 0x2063: ",", 0x2064: None}  # operators without a sign
_GAP = "\x1f"  # becomes a space where it stands between two letters or digits, else nothing
_NEEDED_GAP = re.compile(rf"(?<=[\w)\]}}]){_GAP}+(?=[\w√∑∏∫])")


def equation_text(node: Element) -> str:
    """A math element, or any part of one, as text on one line; its tags may have any namespace or none."""
    return _NEEDED_GAP.sub(" ", _text(node)).replace(_GAP, "")


def _text(node: Element) -> str:
    name = _name(node)
    if name in _SILENT:
        return ""
    if name == "mmultiscripts":
        return _with_scripts_around(node)
    parts = [_text(child) for child in node]
    if name == "semantics":
        return next((part for part in parts if part), "")
    if scripted := _scripted(name, parts):
        return scripted
    if name == "mfenced":
        inner = (node.get("separators", ",").strip()[:1] + " ").lstrip().join(parts)
        return f"{node.get('open', '(')}{inner}{node.get('close', ')')}"
    if name in ("mtr", "mlabeledtr"):
        return ", ".join(part.strip() for part in parts)
    if name == "mtable":
        return "; ".join(parts)
    return "".join(parts) if parts else _token(name, node)


def _scripted(name: str, parts: Sequence[str]) -> str:
    """Fractions, roots and scripts; empty for other elements."""
    if name == "msqrt":
        return f"√{_group(''.join(parts))}"
    if name in ("msubsup", "munderover") and len(parts) == 3:
        return f"{parts[0]}_{_group(parts[1])}^{_group(parts[2])}{_GAP}"
    if len(parts) != 2:
        return ""
    first, second = parts
    if name == "mfrac":
        return f"{_GAP}{_group(first)}/{_group(second)}{_GAP}"
    if name == "mover" and len(second.strip()) == 1 and not second.strip().isalnum():
        return first + second  # an accent
    if name in ("msup", "mover"):
        return f"{first}^{_group(second)}{_GAP}"
    if name in ("msub", "munder"):
        return f"{first}_{_group(second)}{_GAP}"
    if name == "mroot":
        return {"3": "∛", "4": "∜"}.get(second, f"{second}√") + _group(first)
    return ""


def _with_scripts_around(node: Element) -> str:
    """Isotopes and tensors: the scripts that stand before the base, the base, and the scripts behind it."""
    base, *scripts = list(node) or [node]
    names = [_name(each) for each in scripts]
    cut = names.index("mprescripts") if "mprescripts" in names else len(names)
    before, behind = (_script_pairs(each) for each in (scripts[cut + 1 :], scripts[:cut]))
    return f"{_GAP}{before}{_text(base) if len(node) else ''}{behind}{_GAP}"


def _script_pairs(scripts: Sequence[Element]) -> str:
    texts = [_text(each).strip() for each in scripts]
    return "".join(lowered(text) if number % 2 == 0 else raised(text) for number, text in enumerate(texts))


def _token(name: str, node: Element) -> str:
    if name == "mspace":
        return _GAP
    text = " ".join((node.text or "").translate(_UNSEEN).split())
    if name == "mo":
        return _GAP if node.text == _APPLIES else f" {text} " if text in _SPACED else text
    is_word = name in ("mi", "mtext") and len(text) > 1 and text[0].isalpha()
    return f"{_GAP}{text}{_GAP}" if is_word else text


def _group(text: str) -> str:
    text = text.strip(f" {_GAP}")
    return text if len(text) < 2 or text.isalnum() or text.startswith("(") else f"({text})"


def _name(node: Element) -> str:
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else "none"
