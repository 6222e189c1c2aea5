"""Man pages of both macro sets."""

from __future__ import annotations

import gzip
from pathlib import Path

from support.extracted import LIMIT, NOISE, extract, file

from pipeline.extraction.formats import detect
from pipeline.extraction.markup.man_page import ManPage

_MAN = r"""'\" t
.\" A comment.
.de Ex2
.RS
\fB\\$1\fP ends
..
.TH WEIR 8 "2024-03-01" "weir 2.1" "Water Manual"
.ie \n(.g .ds Aq \(aq
.el .ds Aq '
.if t .ds No no
.SH "NAME"
weir \- open a \fIweir\fR
.SH SYNOPSIS
.B weir
[\fB\-\-height\fR=\fI\,N\/\fR]
.RI [ gate ]
.SS "The \*(Aqold\*(Aq way"
Water \(em and mud \[u2014] flows over the M\(:uhle.
.br
It costs 5\ \(Eu.
.TP
.BR \-h ", " \-\-height = \fIN\fR
Open to
.I N
centimetres.
.IP \(bu 2
First point.
.Ex2 Dam
.nf
weir \-\-height 3 \e
  | tee log
.fi
.TS
tab(;) allbox;
l l.
Gate;Height
_
North;T{
very
.B high
T}
.TE
.so other.1
"""
_MDOC = r""".Dd March 1, 2024
.Dt SLUICE 1
.Os
.Sh NAME
.Nm sluice
.Nd lift a gate
.Sh SYNOPSIS
.Nm
.Op Fl v
.Op Fl o Ar file
.Ar gate ...
.Sh DESCRIPTION
The
.Nm
utility lifts
.Dq one gate ,
see
.Xr weir 8 .
.Bl -tag -width Ds
.It Fl v , Fl Fl verbose
Say
.Em more Ns s .
.It Ev GATE
A name.
.El
.Bl -enum
.It
Go.
.It
Stop.
.El
.Bd -literal
sluice -v north
.Ed
.Ex -std
"""


def test_man_macros() -> None:
    page = ManPage(_MAN)
    assert page.title == "weir(8)"
    assert page.text == (
        "# NAME\n\nweir - open a weir\n\n# SYNOPSIS\n\nweir [--height=N] [gate]\n\n## The 'old' way\n\n"
        "Water — and mud — flows over the Mühle.\n\nIt costs 5 €.\n\n- -h, --height=N: Open to N centimetres.\n\n"
        "- First point.\n\nDam ends\n\n```\nweir --height 3 \\\n  | tee log\n```\n\n"
        "| Gate | Height |\n| --- | --- |\n| North | very high |"
    )


def test_mdoc_macros() -> None:
    page = ManPage(_MDOC)
    assert page.title == "sluice(1)"
    assert page.text == (
        "# NAME\n\nsluice — lift a gate\n\n# SYNOPSIS\n\nsluice [-v] [-o file] gate ...\n\n# DESCRIPTION\n\n"
        "The sluice utility lifts “one gate”, see weir(8).\n\n- -v, --verbose: Say mores.\n\n- GATE: A name.\n\n"
        "1. Go.\n\n2. Stop.\n\n```\nsluice -v north\n```\n\n"
        "The sluice utility exits 0 on success, and >0 if an error occurs."
    )


def test_packed_pages_are_read_and_logs_are_not_taken_for_pages(tmp_path: Path) -> None:
    found = extract(file(tmp_path, "weir.8.gz", gzip.compress(_MAN.encode())), LIMIT)
    assert (found.mime, found.title) == ("text/troff", "weir(8)")
    assert detect(b"Mar  1 12:00:00 pump[1]: .TH is no macro\n", ".1").mime == "text/plain"


def test_damaged_pages_end(tmp_path: Path) -> None:
    endless = ".de A\n.A\n.B\n..\n.de B\n.A\n.A\n..\n.TH X 1\n.A\nEnd.\n"
    for source in (
        _MAN[:700],
        _MDOC[:200] * 50,
        NOISE.decode("latin-1"),
        endless,
        ".if \\{\\\n" * 999,
        ".TS\n" * 999,
    ):
        assert isinstance(ManPage(source).text, str)
    assert ManPage(endless).text == "End."
