"""Globs: what they match, which are refused, and that no glob takes long to match."""

from __future__ import annotations

import pytest

from semantik.core.errors import Invalid
from semantik.core.globs import Globs, expand_folder_globs

MATCHES = [
    ("*.pdf", "a.pdf"),
    ("*.pdf", "x/y/.pdf"),
    ("drafts/*", "drafts/a"),
    ("/top", "top"),
    ("/a/b", "a/b"),
    ("**/tmp/*", "tmp/a"),
    ("**/tmp/*", "x/y/tmp/a"),
    ("a/**", "a/b/c"),
    ("a/**/b", "a/b"),
    ("a/**/b", "a/x/y/b"),
    ("**/a/**/a/b", "a/a/a/b"),
    ("**", "a/b"),
    ("a**b", "axxb"),
    ("a*b*b", "abb"),
    ("a?c", "abc"),
    ("[!ab]c", "dc"),
    ("[^ab]c", "dc"),
    ("[]-]", "]"),
    ("[a-]", "-"),
    ("[a-cx]", "b"),
    (r"[\]]", "]"),
    (r"[\a-\c]", "b"),
    (r"\*", "*"),
    (r"\!a", "!a"),
    ("(a+)|b.", "(a+)|b."),
    ("a*", "a\nb"),
]
MISMATCHES = [
    ("*.pdf", "a.PDF"),
    ("*.pdf", "a.pdf.txt"),
    ("drafts/*", "x/drafts/a"),
    ("drafts/*", "drafts/a/b"),
    ("/top", "x/top"),
    ("**/tmp/*", "xtmp/a"),
    ("a/**", "a"),
    ("a/**/b", "a/xb"),
    ("a/*", "a/"),
    ("a?c", "a/c"),
    ("a*c", "a/c"),
    ("a[--0]c", "a/c"),
    ("a[!b]c", "a/c"),
    ("a*a", "a"),
    ("[!ab]c", "ac"),
    (r"\*", "a"),
    ("a.c", "abc"),
    ("tmp/", "tmp"),
]


@pytest.mark.parametrize(("glob", "path"), MATCHES)
def test_a_glob_matches(glob: str, path: str) -> None:
    assert Globs([glob]).match(path)
    assert Globs(["other", "x/other", glob, "other"]).match(path)


@pytest.mark.parametrize(("glob", "path"), MISMATCHES)
def test_a_glob_does_not_match(glob: str, path: str) -> None:
    assert not Globs([glob]).match(path)


def test_a_trailing_slash_matches_folders_and_expands_to_their_content() -> None:
    assert Globs(["tmp/"]).match("a/tmp", folder=True)
    assert Globs(["a/tmp/"]).match("a/tmp", folder=True)
    assert not Globs(["a/tmp/"]).match("b/a/tmp", folder=True)
    assert Globs(["tmp"]).match("a/tmp", folder=True)
    assert expand_folder_globs(["*.pdf", "tmp/", "a/b/", "/c/"]) == ("*.pdf", "**/tmp/**", "a/b/**", "/c/**")
    assert Globs(expand_folder_globs(["/c/"])).match("c/d/e.txt")


@pytest.mark.parametrize(
    ("glob", "why"),
    [
        ("", "no name"),
        ("/", "no name"),
        ("a//b", "two slashes"),
        ("!a", "exclamation"),
        ("../a", "neither"),
        ("a/./b", "neither"),
        ("[a", "never closed"),
        ("[]", "never closed"),
        ("a[/]b", "never closed"),
        ("[z-a]", "range z-a"),
        ("a\\", "backslash"),
    ],
)
def test_a_bad_glob_is_refused_with_its_text(glob: str, why: str) -> None:
    with pytest.raises(Invalid, match=why) as refused:
        Globs(["good", glob])
    assert repr(glob) in str(refused.value)


@pytest.mark.parametrize(
    "glob",
    ["*a" * 100 + "b", "**/a*/" * 33 + "b", "**/" * 66 + "b", "*a*a*a*/" * 25, "**/*a*a*b/" * 20 + "c"],
)
def test_no_glob_takes_long_to_match(glob: str) -> None:
    """With backtracking, each of these would take longer than the test may run."""
    for path in ("a/" * 2000 + "a", ("a" * 254 + "/") * 16 + "a", "a" * 255):
        Globs([glob]).match(path)
