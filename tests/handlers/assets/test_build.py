"""The build of the page: its names change with the content, and only then."""

from __future__ import annotations

import gzip
import logging
import re
from pathlib import Path

import pytest

from handlers.assets.build import Assets, build

PAGE = """<!doctype html>
<html>
  <head>
    <link rel="icon" href="/static/icon.svg">
    <link rel="stylesheet" href="/static/style.css">
    <link rel="stylesheet" href="/static/more.css">
    <script type="module" src="/static/app.js"></script>
  </head>
</html>
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "web"
    (folder / "parts").mkdir(parents=True)
    (folder / "index.html").write_text(PAGE)
    (folder / "style.css").write_text("a { color: red; }\n")
    (folder / "more.css").write_text("b { color: blue; }\n")
    (folder / "app.js").write_text('const load = () => import("./view.js");\n')
    (folder / "view.js").write_text("export const view = 1;\n")
    (folder / "icon.svg").write_text("<svg/>")
    (folder / "parts" / "picture.png").write_bytes(b"\x89PNG")
    (tmp_path / "secret.js").write_text("never")
    return folder


def test_the_page_names_the_files_of_its_build(folder: Path) -> None:
    made = build(folder)
    page = made.page.body.decode()
    names = re.findall(r'"/static/([^"]+)"', page)
    assert names and all(name.startswith(f"{made.identity}/") for name in names)
    assert page.count("stylesheet") == 1
    style = made.asset("style.css")
    assert style is not None and style.body.decode() == "a{color:red;}b{color:blue;}"
    assert style.content_type == "text/css; charset=utf-8"
    assert style.gzipped is not None and gzip.decompress(style.gzipped) == style.body
    picture = made.asset("parts/picture.png")
    assert picture is not None and picture.gzipped is None
    assert made.asset("../secret.js") is None and made.asset("parts") is None and made.asset("no.js") is None


def test_names_change_with_the_content_and_only_then(folder: Path) -> None:
    assets = Assets(folder)
    first = assets.current()
    assert assets.current() is first and assets.latest is first
    (folder / "view.js").touch()
    assert assets.current().identity == first.identity
    (folder / "view.js").write_text("export const view = 2;\n")
    assert assets.current().identity != first.identity


def test_modules_that_cannot_be_linked_are_served_one_by_one(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "view.js").write_text("export default 1;\n")
    with caplog.at_level(logging.ERROR, "semantik.http"):  # the warning itself is expected
        made = build(folder)
    view = made.asset("view.js")
    assert view is not None and view.body == b"export default 1;\n"
