"""Judged sets from manual pages of Debian, for a run without SET: the page is found by its one-line description.

The description itself is left out of the indexed text. In English, German, Russian and Chinese.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

from bench.corpus import WORK_FOLDER, package

_PACKAGES = {
    "man-en": ("manpages", "manpages-dev"),
    "man-de": ("manpages-de",),
    "man-ru": ("manpages-ru",),
    "man-zh": ("manpages-zh",),
}
_PAGES, _QUERIES = 400, 200
_CHARACTERS = range(200, 2500)
_SEED = 20_261_129
_COMMENT = re.compile(r"(?m)^[.']\\\".*\n")
_SECTION = re.compile(r"(?m)^\.(?:SH|SS|Sh|Ss) *(.*)$")
_BREAK = re.compile(
    r"(?m)^\.(?:PP|P|TP|IP|LP|HP|br|sp|RS|RE|nf|fi|TH|de|ad|na|ie|el|if|UR|UE|EX|EE|in|ta|ds|Pp)\b.*$"
)
_MACRO, _REQUEST = re.compile(r"(?m)^\.[A-Z][A-Za-z]? +(.*)$"), re.compile(r"(?m)^\..*$")
_FONT = re.compile(r"\\f.|\\[,/&|^]|\\s[+-]?\d")
_NAME_LINE = re.compile(r".{1,80}? +-+ +(.{12,160})$")
_MARK = "\f"


def sample_sets() -> list[Path]:
    """Folders in BEIR form below build/bench, made once."""
    return [_made(name, packages) for name, packages in _PACKAGES.items()]


def _made(name: str, packages: tuple[str, ...]) -> Path:
    folder = WORK_FOLDER / "quality" / "samples" / name
    qrels = folder / "qrels" / "test.tsv"
    if qrels.exists():
        return folder
    rng = random.Random(_SEED)
    files = sorted(
        path for each in packages for path in package(each).rglob("man*/*.gz") if not path.is_symlink()
    )
    rng.shuffle(files)
    pages: dict[str, tuple[str, str]] = {}
    for path in files:
        for description, text in _page(path):
            pages.setdefault(description, (path.name.removesuffix(".gz"), text))
        if len(pages) == _PAGES:
            break
    qrels.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        {"_id": str(number), "title": title, "text": text}
        for number, (title, text) in enumerate(pages.values())
    ]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    chosen = rng.sample(list(enumerate(pages)), min(_QUERIES, len(pages)))
    queries = [{"_id": str(number), "text": description} for number, description in chosen]
    (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in queries))
    qrels.write_text("".join(f"{number}\t{number}\t1\n" for number, _ in chosen))
    return folder


def _page(path: Path) -> Iterator[tuple[str, str]]:
    """The description and the other text of a page, if it has both."""
    try:
        sections = _plain(gzip.decompress(path.read_bytes()).decode()).split(_MARK)
    except UnicodeDecodeError:
        return
    if len(sections) < 3:
        return
    named = _NAME_LINE.match(" ".join(sections[1].partition("\n")[2].split()))
    text = "\n\n".join(section.strip() for section in sections[2:])
    text = re.sub(r"(?<!\n)\n(?!\n)", " ", re.sub(r"\n{3,}", "\n\n", text))[: _CHARACTERS.stop].strip()
    if named and len(text) >= _CHARACTERS.start:
        yield named[1], text


def _plain(source: str) -> str:
    """The text of roff source, roughly; sections begin with `_MARK` and their headings."""
    text = _BREAK.sub("\n", _SECTION.sub(rf"\n\n{_MARK}\1\n", _COMMENT.sub("", source)))
    text = _FONT.sub("", _MACRO.sub(r"\1", text)).replace("\\-", "-").replace("\\e", "\\")
    return _REQUEST.sub("", re.sub(r"\\\[?\(?[a-z]{2}\]?", "'", text))
