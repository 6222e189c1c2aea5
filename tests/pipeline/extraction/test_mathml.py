"""Formulas in MathML as one line of text."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest

from pipeline.extraction.mathml import equation_text

_SUM = "<munderover><mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mi>n</mi></munderover>"


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ("<mfrac><mi>a</mi><mrow><mi>b</mi><mo>+</mo><mn>1</mn></mrow></mfrac>", "a/(b + 1)"),
        (f"{_SUM}<mi>sin</mi><mo>\u2061</mo><mi>x</mi>", "∑_(i = 1)^n sin x"),
        ("<msup><mi>x</mi><mn>2</mn></msup><mi>y</mi><mo>\u2062</mo><mi>z</mi>", "x^2 yz"),
        (
            "<mi>f</mi><mo>(</mo><mi>x</mi><mo>)</mo><mtext>if</mtext><mspace width='1em'/><mi>y</mi>",
            "f(x) if y",
        ),
        (
            "<mfenced open='['><mi>a</mi><mi>b</mi></mfenced><mfenced separators=''><mi>c</mi></mfenced>",
            "[a, b)(c)",
        ),
        (
            "<mmultiscripts><mi>C</mi><mn>6</mn><none/><mprescripts/><none/><mn>14</mn></mmultiscripts>",
            "¹⁴C₆",
        ),
        ("<mover><mi>x</mi><mo>¯</mo></mover><mroot><mi>y</mi><mn>3</mn></mroot>", "x¯∛y"),
        ("<mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>2</mn></mtd></mtr></mtable>", "1, 2"),
        ("<mmultiscripts/><mfenced/><mtr/>", "()"),
    ],
)
def test_a_formula_is_one_line(formula: str, text: str) -> None:
    assert equation_text(fromstring(f"<math>{formula}</math>")) == text
