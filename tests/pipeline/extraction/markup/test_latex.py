"""LaTeX and BibTeX."""

# ruff: noqa: E501 - a source and its text in one line

from __future__ import annotations

import pytest

from pipeline.extraction.markup.bibtex import BibTeX
from pipeline.extraction.markup.latex import LatexText


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (r"\section{North \emph{gate}}\label{a} Text. \subsection*{Old} More.", "# North gate\n\nText.\n\n## Old\n\nMore."),
        (r'M\"uhle, M{\"u}hle, \'Etang, \v{c}aj, \c{c}a, Stra\ss e, \o re, \"\i.', "Mühle, Mühle, Étang, čaj, ça, Straße, øre, ï."),
        ("``Quoted'' -- or --- so~it is, 5\\,\\% \\& \\$3.", "“Quoted” – or — so it is, 5 % & $3."),
        ("Text % hidden\ngoes on 50\\% here.", "Text goes on 50% here."),
        (r"Water\footnote{From the \textbf{hill}.} flows, see~\cite[p.~3]{mara} in Figure~\ref{x}.", "Water (From the hill.) flows, see [mara] in Figure ."),
        (r"If $\alpha \le \frac{1}{2}$ then \[ x^2 = \sqrt{y} \] holds.", "If α ≤ 1/2 then\n\nx^2 = √(y)\n\nholds."),
        ("\\begin{itemize}\n\\item one\n\\item[Two:] two\n\\end{itemize}\n\\begin{enumerate}\\item a \\item b\\end{enumerate}", "- one\n\n- Two: two\n\n1. a\n\n2. b"),
        ("\\begin{tabular}{l|r}\n\\hline\nGate & m \\\\ \\hline\nNorth \\& old & 3 \\\\\n\\end{tabular}", "| Gate | m |\n| --- | --- |\n| North & old | 3 |"),
        ("\\begin{longtable}{ll}\nKind & m \\\\ \\endfirsthead\nKind & m \\\\ \\endhead\nGate & 3 \\\\\n\\end{longtable}", "| Kind | m |\n| --- | --- |\n| Gate | 3 |"),
        (r"\newcommand\fit[1]{\sbox\my@box{#1}\ifdim\wd\my@box>\p@<\p@\fi} \fit{\includegraphics[width=2cm,alt={The old gate}]{gate.png}}", "The old gate"),
        ("\\begin{lstlisting}[language=C, caption=x]\nint a = 5 % 3;\n\\end{lstlisting}\nAnd \\verb|a_b %|.", "```c\nint a = 5 % 3;\n```\n\nAnd a_b %."),
        (r"\newcommand{\gate}{North Gate}\newcommand{\by}[2]{#1 by #2} The \gate{} is \by{3}{4}.", "The North Gate is 3 by 4."),
        (r"\input{secret}\includegraphics[width=3cm]{a.png}\begin{figure}[h]\caption{The gate.}\end{figure}", "The gate."),
        (r"\href{http://x.example}{the site} \url{http://y.example/a_b} \textcolor{red}{hot}", "the site http://y.example/a_b hot"),
        ("水門は\n高い。", "水門は高い。"),
        (r"na\"\i ve, \AA land, \O stfold, M\'\i{}r, \LaTeX{} at 5\,$^\circ$C", "naïve, Åland, Østfold, Mír, LaTeX at 5 °C"),
        (r"a \iffalse no \ifx\x\y no \else no \fi no \fi b \iftrue c\else no\fi{} \iffalse no\else d\fi.", "a b c d."),
        (r"\let\ifdraft\iffalse\newif\ifx Kept, \iffalse not closed.", "Kept, not closed."),
        (r"one\\two\par three \# 4", "one\ntwo\n\nthree # 4"),
    ],
)  # fmt: skip
def test_blocks(source: str, text: str) -> None:
    assert LatexText(source).text == text


def test_a_document_begins_with_its_title() -> None:
    document = LatexText(
        '\\documentclass[12pt]{article}\n\\usepackage[ngerman]{babel}\n\\title{Die "Offnung\\thanks{x}}\\author{Mara \\and Ole}\n'
        '\\begin{document}\\maketitle\\begin{abstract}Kurz.\\end{abstract}\\section{Tor}"`Auf"\' und zu.\\end{document} after'
    )
    assert document.title == "Die Öffnung"
    assert document.text == "# Die Öffnung\n\nMara, Ole\n\nAbstract\n\nKurz.\n\n## Tor\n\n„Auf“ und zu."


def test_damaged_texts_end() -> None:
    growing = r"\newcommand{\a}{\b\b\b\b}\newcommand{\b}{\c\c\c\c}\newcommand{\c}{\a\a\a\a}" + r"\a" * 3000
    for source in (
        growing,
        "{" * 50_000,
        "\\begin{a}" * 5000,
        "$" * 9999,
        "\\item" * 9999,
        "\\section{" * 3000,
        "\\" * 9999,
        "\\verb|" * 5000,
    ):
        assert isinstance(LatexText(source).text, str)


def test_bibliographies_are_lines() -> None:
    text = BibTeX(
        '@string{press = "Weir Press"}\n@comment{no}\n@book{mara24,\n  title = {The {Old} M{\\"u}hle -- a story},\n'
        '  author = "Quill, Mara and Ole",\n  publisher = press # { Ltd},\n  year = 2024, file = {:a.pdf:PDF}\n}\n'
    ).text
    assert (
        text
        == "[mara24] The Old Mühle – a story\nauthor: Quill, Mara and Ole\npublisher: Weir Press Ltd\nyear: 2024"
    )
