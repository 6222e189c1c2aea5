"""DocBook 4 and 5: headings, lists, tables, notes, references, entities."""

from __future__ import annotations

import pytest

from pipeline.extraction import formats
from pipeline.extraction.content import Content
from pipeline.extraction.readers.docbook import DocBookReader

_DTD = '<!DOCTYPE {root} PUBLIC "-//OASIS//DTD DocBook XML V4.5//EN" "docbookx.dtd" [{entities}]>'
_FIVE = 'xmlns="http://docbook.org/ns/docbook" xmlns:xlink="http://www.w3.org/1999/xlink" version="5.0"'


def _read(text: str, suffix: str = ".xml") -> Content:
    data = text.encode()
    detected = formats.detect(data, suffix)
    assert detected.mime == "application/docbook+xml"
    return DocBookReader().read(data, detected)


def _five(body: str) -> str:
    return _read(f"<article {_FIVE}>{body}</article>").text


def test_a_book_of_version_four() -> None:
    content = _read(
        _DTD.format(root="book", entities='<!ENTITY firm "Oar &amp; Co"><!ENTITY more SYSTEM "more.xml">')
        + "<!-- a comment --><book><bookinfo><title>Ropes</title><author><firstname>Ina</firstname>"
        "<surname>Hemp</surname>"
        "</author><pubdate>2003-04</pubdate></bookinfo><chapter id='c'><title>Knots<indexterm><primary>knot</primary>"
        "</indexterm></title><para>By &firm;.</para>&more;<sect1><title>Bends</title>"
        "<para>See <xref linkend='c'/>.</para>"
        "</sect1></chapter></book>"
    )
    assert (
        content.text
        == "# Ropes\n\nIna Hemp\n\n2003-04\n\n## Knots\n\nBy Oar & Co.\n\n### Bends\n\nSee Knots."
    )
    assert (content.title, content.author, content.date) == ("Ropes", "Ina Hemp", "2003-04")
    assert content.warnings == ("1 file that it includes is not read with it.",)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<info><title>T</title></info><section><title>S</title><para>p</para></section>", "# T\n\n## S\n\np"),
        ("<para>Use<footnote xml:id='f'><para>See it.</para></footnote> and<footnoteref linkend='f'/>.</para>",
         "Use[1] and[1].\n\n[1] See it."),
        ("<programlisting><![CDATA[if (a < b)\n  c();]]></programlisting>", "```\nif (a < b)\n  c();\n```"),
        ("<variablelist><varlistentry><term>a</term><listitem><para>b</para></listitem></varlistentry></variablelist>",
         "a\n: b"),
        ("<orderedlist><listitem><para>x</para></listitem><listitem><para>y</para></listitem>"
         "</orderedlist>", "1. x\n2. y"),
        ("<para>Press <keycombo><keycap>Ctrl</keycap><keycap>Q</keycap></keycombo>, "
         "<menuchoice><guimenu>File</guimenu> <guimenuitem>Quit</guimenuitem></menuchoice>.</para>",
         "Press Ctrl+Q, File → Quit."),
        ("<note><para>Wet rope shrinks.</para></note>", "Note:\n\nWet rope shrinks."),
        ("<para>See <link xlink:href='http://a.example'>the site</link>, <quote>now</quote>.</para>",
         "See the site, “now”."),
        ("<para><simplelist type='inline'><member>a</member><member>b</member></simplelist></para>", "a, b"),
        ("<glosslist><glossentry><glossterm>Fid</glossterm><glossdef><para>A pin.</para></glossdef>"
         "</glossentry></glosslist>",
         "Fid\n: A pin."),
        ("<remark>draft</remark><figure><title>Plan</title><mediaobject><imageobject><imagedata fileref='a.png'/>"
         "</imageobject><textobject><phrase>A loft</phrase></textobject></mediaobject></figure>", "Plan\n\nA loft"),
        ("<db:para xmlns:db='http://docbook.org/ns/docbook'>prefixed</db:para>", "prefixed"),
    ],
)  # fmt: skip
def test_an_element_reads_as_it_is_printed(body: str, text: str) -> None:
    assert _five(body) == text


def test_a_table_with_spans() -> None:
    text = _five(
        "<table><title>Ropes</title><tgroup cols='3'><colspec colname='c1'/><thead><row><entry>Kind</entry>"
        "<entry namest='c2' nameend='c3'>Load</entry></row></thead><tbody><row><entry morerows='1'>Hemp</entry>"
        "<entry>1</entry><entry>2</entry></row><row><entry>3</entry><entry><para>4</para><para>5</para></entry></row>"
        "</tbody></tgroup></table>"
    )
    assert text == "Ropes\n\n| Kind | Load |  |\n|---|---|---|\n| Hemp | 1 | 2 |\n| Hemp | 3 | 4 5 |"


def test_a_name_in_parts_is_the_author() -> None:
    content = _read(
        "<book xmlns='http://docbook.org/ns/docbook'><info><title>Ropes</title><author>\n <personname>"
        "\n  <firstname>Ina</firstname>"
        "\n  <surname>Hemp</surname>\n </personname>\n</author></info><chapter><para>p</para></chapter></book>"
    )
    assert content.author == "Ina Hemp"


def test_a_manual_page() -> None:
    content = _read(
        _DTD.format(root="refentry", entities="")
        + "<refentry><refmeta><refentrytitle>lay</refentrytitle><manvolnum>8</manvolnum></refmeta><refnamediv>"
        "<refname>lay</refname><refpurpose>lays a rope</refpurpose></refnamediv><refsynopsisdiv><cmdsynopsis>"
        "<command>lay</command><arg choice='opt'>-v</arg><arg choice='plain' rep='repeat'>strand</arg></cmdsynopsis>"
        "</refsynopsisdiv><refsect1><title>Description</title><para>See <citerefentry>"
        "<refentrytitle>spin</refentrytitle>"
        "<manvolnum>1</manvolnum></citerefentry>.</para></refsect1></refentry>"
    )
    assert content.title == "lay(8)"
    assert content.text == (
        "# lay(8)\n\nlay — lays a rope\n\nlay [-v] strand…\n\n## Description\n\nSee spin(1)."
    )


def test_included_files_are_said() -> None:
    content = _read(
        f"<book {_FIVE} xmlns:xi='http://www.w3.org/2001/XInclude'><title>T</title><xi:include href='a.xml'/></book>",
        ".dbk",
    )
    assert content.warnings == ("1 file that it includes is not read with it.",)


def test_other_xml_is_no_docbook() -> None:
    assert (
        formats.detect(b"<?xml version='1.0'?><book><title>x</title></book>", ".xml").mime
        == "application/xml"
    )


def test_names_that_other_files_define_and_parts_of_books() -> None:
    content = _read(
        "<chapter id='a'><title>&rope;</title><para>Use &rope; &mdash; or twine.</para><para>Press "
        "<keycombo>&Ctrl;&Alt;<keycap>D</keycap></keycombo> or <menuchoice><shortcut>&F2;</shortcut>"
        "<guimenu>Edit</guimenu><guimenuitem>Cut</guimenuitem></menuchoice>.</para></chapter>"
    )
    assert content.text == "# rope\n\nUse rope — or twine.\n\nPress Ctrl+Alt+D or (F2) Edit → Cut."
    assert content.warnings == ("Words that other files define are read as their short names.",)
