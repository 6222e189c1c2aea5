"""The docs name only what there is: files, links, and the words of make."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from handlers.routes import ROUTES
from semantik.records import TERMINAL

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
PAGES = [README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir()} - {"data"}


def words() -> set[str]:
    """The words that make knows."""
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    relative = [link.split("#")[0] for link in links if not re.match(r"[a-z]+:|#", link)]
    assert [link for link in relative if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_are_named_exist(page):
    quoted = re.findall(r"`([\w.-]+(?:/[\w.-]+)*/?)`", page.read_text())
    named = {name for name in quoted if "/" in name and name.split("/")[0] in FOLDERS}
    assert {name for name in named if not (ROOT / name).exists()} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_words_of_make_exist(page):
    used = set(re.findall(r"(?:^|`|\s)make ([a-z]+)\b(?=`|\s|$)", code(page.read_text()), re.MULTILINE))
    assert used <= words()


def test_the_readme_names_every_word_and_every_folder():
    text = README.read_text()
    assert {word for word in words() - {"help", "tools"} if f"make {word}" not in text} == set()
    ours = {"semantik", "handlers", "pipeline", "conf", "tests", "bin", "docs"}
    assert {folder for folder in ours if not re.search(rf"^{folder}/", text, re.MULTILINE)} == set()


def code(text: str) -> str:
    """What a page sets as code: between backticks, or fenced."""
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL))


def test_every_address_stands_in_the_rest_documentation_and_the_other_way_round() -> None:
    text = (ROOT / "docs" / "rest-api.md").read_text()
    documented = {
        re.sub(r"{\w+}", "…", path) for path in re.findall(r"`(?:GET|POST|PATCH|DELETE) (/[^`?]*)`", text)
    }
    patterns = [rule.matcher.regex.pattern for rule in ROUTES]
    served = {
        p.removeprefix("/api/v2").rstrip("$").replace("([^/]{1,100})", "…")
        for p in patterns
        if "/api/v2" in p
    }
    assert documented == served


def test_every_message_stands_in_the_websocket_documentation_and_the_other_way_round() -> None:
    table = (
        (ROOT / "docs" / "websocket-api.md")
        .read_text()
        .partition("## Messages")[2]
        .partition("`processed`")[0]
    )
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    documented = {kind for row in rows for kind in re.findall(r"`(\w+)`", row)}
    told = set()
    for path in [*(ROOT / "pipeline").rglob("*.py"), *(ROOT / "handlers").glob("*.py")]:
        told |= set(re.findall(r"(?:tell|update|stage|send)\(\s*\"(\w+)\"", path.read_text()))
    told |= {f"operation_{status}" for status in TERMINAL}
    assert documented == told
