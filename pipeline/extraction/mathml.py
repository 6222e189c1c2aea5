"""Equations in MathML as a line of readable text: "x^2/(2a)". Pure; runs in the worker processes."""

from __future__ import annotations

from xml.etree.ElementTree import Element

_SILENT = {"annotation", "annotation-xml", "none", "mprescripts", "mphantom"}


def equation_text(node: Element) -> str:
    """A math element, or any part of one, as text on one line; its tags may have any namespace or none."""
    name = node.tag.rpartition("}")[2] if isinstance(node.tag, str) else "none"
    if name in _SILENT:
        return ""
    parts = [equation_text(child) for child in node]
    if name == "semantics":
        return next((part for part in parts if part), "")
    if name == "mfrac" and len(parts) == 2:
        return f"{_group(parts[0])}/{_group(parts[1])}"
    if name in ("msup", "mover") and len(parts) == 2:
        return f"{parts[0]}^{_group(parts[1])}" if name == "msup" else f"{parts[0]}{parts[1]}"
    if name in ("msub", "munder") and len(parts) == 2:
        return f"{parts[0]}_{_group(parts[1])}"
    if name in ("msubsup", "munderover") and len(parts) == 3:
        return f"{parts[0]}_{_group(parts[1])}^{_group(parts[2])}"
    if name == "msqrt":
        return f"√{_group(''.join(parts).strip())}"
    if name == "mroot" and len(parts) == 2:
        sign = {"3": "∛", "4": "∜"}.get(parts[1], f"{parts[1]}√")
        return sign + _group(parts[0])
    if name == "mtr":
        return ", ".join(part.strip() for part in parts)
    if name == "mtable":
        return "; ".join(parts)
    if parts:
        return "".join(parts)
    text = " ".join((node.text or "").split())
    spaced = name == "mo" and text in _SPACED
    return f" {text} " if spaced else text


_SPACED = set("=<>≤≥≠≈+−-±×·÷→⇒⇔∈∉⊂⊆∪∩∧∨∼≡")


def _group(text: str) -> str:
    text = text.strip()
    return text if len(text) < 2 or text.isalnum() or text.startswith("(") else f"({text})"
