"""The docs name only what there is: files, links, and the words of make."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

import handlers.sockets.base
import handlers.sockets.close_reason
from handlers.routes import ROUTES
from handlers.serializers import state_json
from pipeline.ingest.pipeline import ingest
from pipeline.operations import OPERATIONS as TYPES
from semantik.app.metrics import MetricsRegistry
from semantik.config.loader import entries
from semantik.config.settings import Settings
from semantik.core.models import TERMINAL, now
from semantik.index import EngineState

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
SOCKETS = ROOT / "docs" / "reference" / "websocket-api.md"
OPERATIONS = ROOT / "docs" / "how-to" / "run-as-a-service.md"
SCAN = ROOT / "handlers" / "sockets" / "scan.py"
PAGES = [README, ROOT / "CHANGELOG.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]
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
    text = (ROOT / "docs" / "reference" / "rest-api.md").read_text()
    documented = {
        re.sub(r"{\w+}", "…", path) for path in re.findall(r"`(?:GET|POST|PUT|PATCH|DELETE) (/[^`?]*)`", text)
    }
    patterns = [rule.matcher.regex.pattern for rule in ROUTES]
    served = {
        re.sub(r"\(.*?\)", "…", p.removeprefix("/api/v2").rstrip("$")) for p in patterns if "/api/v2" in p
    }
    assert documented == served


def section(heading: str) -> str:
    """A section of the page on WebSockets, with what stands below its own headings."""
    level = heading.split(" ")[0]
    _, found, text = SOCKETS.read_text().partition(f"\n{heading}\n")
    assert found, heading
    return re.split(rf"^#{{1,{len(level)}}} ", text, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> dict[str, list[str]]:
    """The rows of its tables by each name that their first column quotes."""
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return {name: row for row in cells for name in re.findall(r"`([\w.]+)`", row[0])}


def told(paths: Iterable[Path], how: str) -> set[str]:
    """The types of the messages that these files tell."""
    found: set[str] = set()
    for path in paths:
        found |= set(re.findall(rf"(?:{how})\(\s*\"(\w+)\"", path.read_text()))
    return found


def test_every_message_stands_in_the_websocket_documentation_and_the_other_way_round() -> None:
    doors = set((ROOT / "handlers").rglob("*.py")) - {SCAN}
    kinds = told([*(ROOT / "pipeline").rglob("*.py"), *doors], "publish|publish_latest|stage|send")
    for path in (ROOT / "pipeline" / "operations").glob("*.py"):
        kinds |= set(re.findall(r'progress_message="(\w+)"', path.read_text()))
    kinds |= {inspect.signature(ingest).parameters["progress_message"].default}
    kinds |= {f"operation_{status}" for status in TERMINAL}
    assert set(rows(section("## Messages"))) == kinds | set(TYPES)
    assert set(rows(section("## Scanning a folder"))) == told([SCAN], "send|_send_last|encode")


def test_the_fields_of_the_snapshot_are_documented() -> None:
    fields = rows(section("## Messages"))["current_state"][1].split(", ")
    quoted = re.findall(r'"(\w+)":', inspect.getsource(state_json))
    assert sorted(fields) == sorted([*quoted, "last_id"])


def test_every_close_code_stands_in_the_websocket_documentation_and_the_other_way_round() -> None:
    table = section("## How it ends")
    documented = {int(code) for code in re.findall(r"^\| (\d{4}) \|", table, re.MULTILINE)}
    used = {
        code
        for name, code in vars(handlers.sockets.close_reason).items()
        if name.isupper() and isinstance(code, int)
    }
    assert documented == {code for code in used if code >= 1000}
    head = (handlers.sockets.base.__doc__ or "").partition("(close)")[2]
    assert {int(code) for code in re.findall(r"\b1\d{3}\b", head)} == documented


async def _text(metrics: MetricsRegistry) -> bytes:
    return metrics.text()


def _every_metric() -> MetricsRegistry:
    metrics = MetricsRegistry(lambda: (0, 0))
    metrics.add_engine(lambda: EngineState("milvus", "http://m:1", "ready", now()))
    return metrics


def test_the_page_on_operations_names_metrics_settings_and_units_that_there_are() -> None:
    text = OPERATIONS.read_text()
    served = asyncio.run(_text(_every_metric())).decode()
    families = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in text_string_to_metric_families(served)
    }
    watched = set(rows(text[text.index("## Monitoring") :].partition("## Signals")[0])) - {"metrics"}
    assert watched and watched <= families
    known = {entry.name for entry in entries()}
    sections = {name.partition(".")[0] for name in known if "." in name}
    named = {n for n in re.findall(r"`([a-z_]+\.[a-z_]+)`", text) if n.split(".")[0] in sections}
    assert named and named <= known
    units = {path.name for path in (ROOT / "conf" / "systemd").iterdir()}
    assert set(re.findall(r"\b(semantik[\w-]*\.(?:service|timer))\b", text)) <= units
    assert set(re.findall(r"/opt/semantik/(bin/[\w-]+)", text)) <= {
        f"bin/{path.name}" for path in (ROOT / "bin").iterdir()
    }


def test_every_metric_stands_in_the_websocket_documentation_and_the_other_way_round() -> None:
    metrics = _every_metric()
    with metrics.connection("index"):
        metrics.connection_ended("index", "left")
        metrics.message_handled("ping", 0.1)
    served = {}
    for family in text_string_to_metric_families(asyncio.run(_text(metrics)).decode()):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        served[name] = {label for sample in family.samples for label in sample.labels} - {"le"}
    served = {name: labels for name, labels in served.items() if not name.endswith("_created")}
    documented = {name: set(re.findall(r"\w+", row[1])) for name, row in rows(section("## Metrics")).items()}
    assert documented == served
    statuses = rows(section("## Metrics"))["websocket_connections_total"][2]
    given = (MetricsRegistry.connection_ended.__doc__ or "").partition(": ")[2]
    assert set(re.findall(r"`(\w+)`", statuses)) - {"connected"} == set(re.findall(r"\w+", given)) - {"or"}


def test_the_websocket_documentation_names_settings_that_there_are() -> None:
    known = {entry.name: entry for entry in entries()}
    sections = {name.partition(".")[0] for name in known if "." in name}
    named = {
        n for n in re.findall(r"`([a-z_]+\.[a-z_]+)`", SOCKETS.read_text()) if n.split(".")[0] in sections
    }
    assert named <= set(known)
    assert {"allowed_origins", "metrics"} <= set(known)
    limits = section("## Limits")
    assert {name for name in known if name.startswith("sockets.")} == {n for n in rows(limits) if n in known}
    for name, row in rows(limits).items():
        default = getattr(Settings().sockets, name.removeprefix("sockets."))
        written = {f"{default:g}", f"{default:g} s", f"{default / 1024:g} KiB", f"{default / 2**20:g} MiB"}
        assert written & set(row[1].split(", ")), name
