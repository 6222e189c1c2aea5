"""LaTeX with classes and packages: beamer, siunitx, hyperref, biblatex, and code that pandoc has coloured."""

from __future__ import annotations

import pytest

from pipeline.extraction.markup.latex import LatexText

_SLIDES = r"""\documentclass{beamer}
\title[Short]{Harbour \texorpdfstring{$\alpha$}{alpha}}
\subtitle{All of it}
\author[M]{Ana Müller\inst{1} \and Bob Stone\inst{2}}
\institute{\inst{1}University \and \inst{2}Crane GmbH}
\begin{document}
\frame{\titlepage}
\section{Start}
\begin{frame}<1->[fragile]{First}{Below}
\begin{itemize}[<+->]
\item<1-> one
\item<2-| alert@3> two
\end{itemize}
\only<2>{shown} \onslide<3->{later}
\begin{block}{Name}
Body\footnote<\value{beamerpauses}->[frame]{Note}
\end{block}
\end{frame}
\begin{frame}
\frametitle{Second}
\begin{columns}[T]
\begin{column}{.5\textwidth}Left\end{column}
\column{0.4\textwidth} Right
\end{columns}
\includegraphics<1>[width=3cm]{x.png}
\begin{theorem}[Stone]Text\end{theorem}
\hyperlink{target}{\beamergotobutton{Go}}
\end{frame}
\end{document}
"""


def test_slides_have_their_titles_as_headings_and_no_specifications() -> None:
    slides = LatexText(_SLIDES)
    assert (slides.title, slides.author) == ("Harbour α", "Ana Müller, Bob Stone")
    assert slides.text == (
        "# Harbour α\n\nAll of it\n\nAna Müller, Bob Stone\n\nUniversity, Crane GmbH\n\n## Start\n\n### First\n\n"
        "Below\n\n- one\n\n- two\n\nshown later\n\nName\n\nBody (Note)\n\n### Second\n\n"
        "Left\n\nRight\n\n(Stone) Text\n\nGo"
    )


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (r"\SI{12.5}{\metre\per\second} and \qty[mode=text]{3}{\kilo\gram}.", "12.5 m/s and 3 kg."),
        (r"\SIrange{1}{2}{\celsius}, \numrange{3}{4}, \num{1e6}, \ang{45}", "1–2 °C, 3–4, 1e6, 45°"),
        (r"\unit{\square\metre} \si{\kilogram\per\cubic\metre} \qty{5}{\percent}", "m² kg/m³ 5 %"),
        (
            r"\SI{9.81}{\metre\per\second\squared}, \SI{2}{m.s^{-1}}, \SI{3}{m/s^2}",
            "9.81 m/s², 2 m.s⁻¹, 3 m/s²",
        ),
        (r"$v = \qty{3}{\micro\metre}$", "v = 3 µm"),
        (r"\section{\texorpdfstring{The \emph{old}}{The old} gate} x", "# The old gate\n\nx"),
        (r"See \autocites[3]{mara}{ole}.", "See [mara] [ole]."),
        (r"$\alpha<1$ and $\beta>2$, \textbf{x} <3> y", "α<1 and β>2, x <3> y"),
        (
            r"\begin{itemize}\item[$\square$] open\item[$\boxtimes$] done\end{itemize}",
            "- ☐ open\n\n- ☒ done",
        ),
    ],
)
def test_packages(source: str, text: str) -> None:
    assert LatexText(source).text == text


def test_marks_after_names_are_apart() -> None:
    article = LatexText(
        r"\title{Ropes\thanks{x}}\author{Ana Müller\textsuperscript{1,2} \and Bob Lee$^{2,*}$ \and Eva Stone$^3$}"
        r"\begin{document}10\textsuperscript{6} cells\textsubscript{2}, treatment\textsuperscript{12}\end{document}"
    )
    assert article.author == "Ana Müller, Bob Lee, Eva Stone"
    assert article.text == "# Ropes\n\nAna Müller, Bob Lee, Eva Stone\n\n10⁶ cells₂, treatment[12]"


def test_coloured_code_reads_as_code() -> None:
    source = (
        "\\usepackage[ngerman]{babel}\\begin{document}\\begin{Shaded}\n\\begin{Highlighting}[]\n"
        "\\KeywordTok{def}\\NormalTok{ f(x):}\n"
        '    \\ControlFlowTok{return}\\NormalTok{ }\\StringTok{"stra"} '
        "\\CommentTok{\\# \\textless{}a\\_b\\textgreater{} \\{c\\} {-} \\textquotesingle{}q\\textquotesingle{}}\n"
        "\\end{Highlighting}\n\\end{Shaded}\\end{document}"
    )
    assert LatexText(source).text == "```\ndef f(x):\n    return \"stra\" # <a_b> {c} - 'q'\n```"
