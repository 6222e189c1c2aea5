"""The elements of DocBook: what each becomes in HTML wherever it stands. Pure data."""

from __future__ import annotations

from pipeline.extraction.html.tag_rewriter import MATHML

SECTIONS = frozenset(
    (
        "set", "book", "part", "reference", "chapter", "appendix", "article", "preface", "section", "sect1", "sect2",
        "sect3", "sect4", "sect5", "simplesect", "refentry", "refsect1", "refsect2", "refsect3", "refsection",
        "refsynopsisdiv", "glossary", "bibliography", "colophon", "dedication", "partintro", "acknowledgements",
        "topic", "glossdiv", "bibliodiv", "qandadiv", "slides", "foil", "foilgroup",
    )
)  # fmt: skip
ADMONITIONS = {
    "note": "Note",
    "warning": "Warning",
    "tip": "Tip",
    "caution": "Caution",
    "important": "Important",
    "danger": "Danger",
}
SKIPPED = frozenset(
    (
        "indexterm", "index", "toc", "lot", "remark", "keywordset", "subjectset", "imagedata", "videodata", "audiodata",
        "beginpage", "titleabbrev", "refmiscinfo", "printhistory", "biblioid", "bibliosource", "issuenum", "volumenum",
        "colspec", "spanspec", "annotation", "areaspec", "itermset", "screeninfo",
    )
)  # fmt: skip

_PARAGRAPHS = """simpara refclass attribution funcprototype cmdsynopsis corpauthor corpname
    authorinitials copyright revision releaseinfo pubdate date edition publisher
    biblioentry bibliomixed classsynopsis fieldsynopsis methodsynopsis constructorsynopsis
    mathphrase refnamediv"""
_BLOCKS = """formalpara info bookinfo articleinfo chapterinfo sectioninfo sect1info sect2info sect3info setinfo partinfo
    prefaceinfo appendixinfo refentryinfo referenceinfo refsynopsisdivinfo glossaryinfo bibliographyinfo objectinfo
    abstract figure informalfigure example informalexample equation informalequation mediaobject caption legalnotice
    screenshot sidebar funcsynopsis address author editor othercredit authorgroup personblurb authorblurb
    affiliation textobject qandaentry highlights msgset msgentry task tasksummary taskprerequisites
    taskrelated"""

PAIRS: dict[str, tuple[str, str]] = {
    **dict.fromkeys(_PARAGRAPHS.split(), ("<p>", "</p>")),
    **dict.fromkeys(_BLOCKS.split(), ("<div>", "</div>")),
    **dict.fromkeys(("programlisting", "screen", "literallayout", "synopsis"), ("<pre>", "</pre>")),
    **{name: (f"<{name}>", f"</{name}>") for name in ("thead", "tbody", "tfoot", "tr")},
    **MATHML,
    "itemizedlist": ("<ul>", "</ul>"),
    "simplelist": ("<ul>", "</ul>"),
    "stepalternatives": ("<ul>", "</ul>"),
    "calloutlist": ("<ol>", "</ol>"),
    "orderedlist": ("<ol>", "</ol>"),
    "procedure": ("<ol>", "</ol>"),
    "substeps": ("<ol>", "</ol>"),
    "step": ("<li>", "</li>"),
    "callout": ("<li>", "</li>"),
    "member": ("<li>", "</li>"),
    "variablelist": ("<dl>", "</dl>"),
    "glosslist": ("<dl>", "</dl>"),
    "term": ("<dt>", "</dt>"),
    "glossterm": ("", ""),
    "glossdef": ("<dd>", "</dd>"),
    "question": ("<div>Q: ", "</div>"),
    "answer": ("<div>A: ", "</div>"),
    "blockquote": ("<blockquote>", "</blockquote>"),
    "epigraph": ("<blockquote>", "</blockquote>"),
    "quote": ("<q>", "</q>"),
    "superscript": ("<sup>", "</sup>"),
    "subscript": ("<sub>", "</sub>"),
    "trademark": ("", "™"),
    "manvolnum": ("(", ")"),
    "row": ("<tr>", "</tr>"),
    "informaltable": ("<table>", "</table>"),
    "bridgehead": ("<h5>", "</h5>"),
    "year": (" ", " "),
    "holder": (" ", " "),
    "firstname": ("", " "),
    "othername": ("", " "),
    "surname": ("", " "),
    "revnumber": ("", " "),
    "publishername": ("", " "),
    "orgname": (" ", " "),
    "email": (" ", " "),
    "paramdef": (" ", " "),
    "funcdef": ("", ""),
    "shortcut": ("(", ") "),
    "glosssee": ("<p>See ", "</p>"),
    "glossseealso": ("<p>See also ", "</p>"),
    "optional": ("[", "]"),
    "sbr": ("<br>", ""),
    "contrib": (" ", " "),
}
