"""Authors and tags in one form, and what paths and sidecar files say of documents."""

from __future__ import annotations

import pytest

from semantik.core.metadata import clean_tags, merged_tags, split_authors, split_tags
from semantik.core.models import PathMetadata
from semantik.core.path_metadata import is_template, path_metadata
from semantik.core.sidecars import sidecar_path, with_sidecars


@pytest.mark.parametrize(
    ("text", "authors"),
    [
        ("Ann Lee", ("Ann Lee",)),
        ("Lee, Ann", ("Lee, Ann",)),
        ("Ann Lee, Bo Ek", ("Ann Lee", "Bo Ek")),
        ("Lee, Ann; Ek, Bo", ("Lee, Ann", "Ek, Bo")),
        ("Ann Lee and Bo Ek", ("Ann Lee", "Bo Ek")),
        ("Ann Lee <ann@example.org>, bo@example.org", ("Ann Lee", "bo@example.org")),
        ("ann@example.org", ("ann@example.org",)),
        ("Ann Lee; ann lee", ("Ann Lee",)),
        (" ; ", ()),
        (None, ()),
    ],
)
def test_authors_are_told_apart(text: str | None, authors: tuple[str, ...]) -> None:
    assert split_authors(text) == authors


def test_tags_are_kept_once_in_their_first_spelling() -> None:
    assert split_tags("#Boiler; boiler, gas line,,*") == ("Boiler", "gas line")
    assert clean_tags(["a, b*", "x" * 101, "!"]) == ("a b",)
    assert len(clean_tags([f"tag {number}" for number in range(500)])) == 100
    assert merged_tags(("Mine",), ("mine", "theirs"), ("Theirs",)) == ("Mine", "theirs")


def test_a_template_says_what_a_path_means() -> None:
    templates = ("letters/{author}/{date} {title}.*", "{tag}/{tag}/*.{language}.txt")
    assert path_metadata("/home/x/letters/Ann_Lee/2024-03 Rent of May.pdf", templates) == PathMetadata(
        title="Rent of May", authors=("Ann Lee",), date="2024-03"
    )
    assert path_metadata("/home/house/gas line/a.de.txt", templates) == PathMetadata(
        language="de", tags=("house", "gas line")
    )
    assert path_metadata("/home/letters/a.pdf", templates) is None


def test_a_name_may_have_a_date() -> None:
    for name in ("IMG_20240229_101500.jpg", "2024-02-29 invoice.pdf", "scan-2024-02-29.pdf"):
        assert path_metadata(f"/a/{name}", ()) == PathMetadata(date="2024-02-29")
    for name in ("2023-02-29.pdf", "120240229.jpg", "part 20241.txt"):
        assert path_metadata(f"/2024-02-29/{name}", ()) is None


def test_templates_are_checked() -> None:
    assert is_template("a/{tag}/{tag}/*") and is_template("/srv/{title}.pdf")
    for wrong in ("a/*", "{titel}", "{title}/{title}", "{title", "a}{tag}", "{tag}" * 200):
        assert not is_template(wrong)


def test_a_sidecar_belongs_to_the_files_beside_it() -> None:
    files = [
        ("a.pdf", 1, 1), ("a.pdf.meta.yaml", 2, 3), ("b.cr2", 1, 1), ("b.jpg", 1, 1), ("b.xmp", 4, 5),
        ("lone.xmp", 1, 1), ("other.meta.json", 1, 1),
    ]  # fmt: skip
    documents, marks = with_sidecars(files)
    assert [name for name, _, _ in documents] == ["a.pdf", "b.cr2", "b.jpg", "lone.xmp", "other.meta.json"]
    assert marks == {"a.pdf": "a.pdf.meta.yaml:2:3", "b.cr2": "b.xmp:4:5", "b.jpg": "b.xmp:4:5"}
    assert sidecar_path("/x/a.pdf", marks["a.pdf"]) == "/x/a.pdf.meta.yaml"
    book = [("book.epub", 1, 1), ("cover.jpg", 1, 1), ("metadata.opf", 7, 8)]
    assert with_sidecars(book)[1] == {"book.epub": "metadata.opf:7:8"}
    assert with_sidecars([("a.txt", 1, 1)]) == ([("a.txt", 1, 1)], {})
