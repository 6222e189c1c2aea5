"""`semantik-eval` as a process: on a judged set of its own, on a folder, against a running server, and its refusals."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.api import index, new_user
from support.patience import patience
from support.server import ROOT, SAMPLES, Serving

from semantik.client.api import Client

_TEXTS = {
    "ferry": "The ferry to Sandoy leaves at seven in the morning and comes back at noon.",
    "lamp": "The keeper of the lighthouse cleans both lamps before dusk.",
    "cheese": "Goat cheese ripens for six weeks in the cellar.",
}
_QUERIES = {
    "sailing ship": "ferry",
    "Sandoy": "ferry",
    "beacon guardian": "lamp",
    "goat": "cheese",
}
_QUESTIONS = (
    "When can guests see the telescope?,visitor-rules.html\nWhat broke in the storm?,nothing-of-it.txt\n"
)


def _eval(*words: str | Path, env: dict[str, str] | None = None) -> tuple[int, str, str]:
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "semantik", "eval", *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=patience(120),
        env={**os.environ, **(env or {})},
    )
    return ended.returncode, ended.stdout, ended.stderr


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    folder = tmp_path / "harbour"
    (folder / "qrels").mkdir(parents=True)
    rows: list[dict[str, str]] = [{"_id": name, "text": text} for name, text in _TEXTS.items()]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    rows = [{"_id": str(number), "text": text} for number, text in enumerate(_QUERIES)]
    (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    lines = [f"{number}\t{name}\t1\n" for number, name in enumerate(_QUERIES.values())]
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(lines))
    return folder


@pytest.mark.real_model
@pytest.mark.server
def test_a_judged_set_is_indexed_once_and_measured_in_each_mode(judged: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    status, out, err = _eval(judged, "--cache", cache)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "harbour: 4 queries" and "nDCG@10" in lines[2]
    assert [line.split()[0] for line in lines[3:6]] == ["hybrid", "meaning", "words"]
    assert "nDCG@10 of hybrid against words:" in out
    [home] = cache.iterdir()
    segments = sorted(path for path in (home / "data" / "index").rglob("*") if path.is_file())
    # Its own server has no such limit.
    slow = {"SEMANTIK_RATE_LIMITS_SEARCH_PER_S": "0.01", "SEMANTIK_RATE_LIMITS_BURST_S": "1"}
    status, out, _ = _eval(judged, "--cache", cache, "--json", "--modes", "words,hybrid", env=slow)
    found: dict[str, Any] = json.loads(out)
    assert status == 0 and list(found["modes"]) == ["words", "hybrid"]
    assert found["modes"]["hybrid"]["recall@10"]["mean"] == 1.0
    assert {each["id"] for each in found["answers"]["words"]} == {"0", "1", "2", "3"}
    # The name is found by its word; that a beacon has lamps is a matter of meaning.
    ranks = {each["id"]: each["rank"] for each in found["answers"]["words"]}
    assert ranks["1"] == 1 and ranks["2"] is None
    assert [each["query"] for each in found["lost"]["words"]] == [
        "sailing ship",
        "beacon guardian",
    ]
    assert [path for path in segments if not path.exists()] == []


@pytest.mark.real_model
@pytest.mark.server
def test_questions_are_asked_of_a_folder(tmp_path: Path) -> None:
    questions = tmp_path / "questions.csv"
    questions.write_text(_QUESTIONS)
    status, out, err = _eval(
        questions, "--folder", SAMPLES, "--cache", tmp_path / "cache", "--modes", "hybrid"
    )
    assert (status, err) == (0, "")
    assert "Lost in mode hybrid: 1" in out
    assert "expected: nothing-of-it.txt, not among the first 100" in out
    assert f"found:    {SAMPLES}" in out


async def _index_ferry(client: Client, folder: Path) -> None:
    folder.mkdir()
    (folder / "ferry.txt").write_text(_TEXTS["ferry"])
    await index(client, folder, "Harbour papers")


@pytest.mark.gen_test
async def test_a_running_server_is_asked(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    await _index_ferry(client, tmp_path / "docs")
    questions = tmp_path / "questions.csv"
    questions.write_text("ferry to Sandoy,ferry.txt\n")
    made = await client.call("POST", "api-keys", {"name": "evaluation"})
    env = {"SEMANTIK_API_KEY": made["key"]}
    argv = (questions, "--url", shared.url, "--modes", "meaning", "--json")
    status, out, _ = await asyncio.to_thread(_eval, *argv, "--collection", "Harbour papers", env=env)
    assert status == 0 and json.loads(out)["modes"]["meaning"]["hit@1"]["mean"] == 1.0
    status, _, err = await asyncio.to_thread(_eval, *argv, "--collection", "Nowhere", env=env)
    assert status == 2 and "'Nowhere' is no collection. There are: Harbour papers." in err
    status, _, err = await asyncio.to_thread(_eval, *argv, env={"SEMANTIK_API_KEY": "semantik_wrong"})
    assert status == 1 and "Traceback" not in err


@pytest.mark.gen_test
async def test_a_running_server_that_refuses_many_searches_is_asked_again(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    """Eight queries at a time, of which it answers one a second."""
    flags = ("--rate-limits-search-per-s", "1", "--rate-limits-burst-s", "1")
    serving = start("--auth-registration", "open", *flags)
    client = await new_user(serving)
    await _index_ferry(client, tmp_path / "docs")
    questions = tmp_path / "questions.csv"
    questions.write_text("".join(f"ferry {number},ferry.txt\n" for number in range(10)))
    made = await client.call("POST", "api-keys", {"name": "evaluation"})
    argv = (questions, "--url", serving.url, "--modes", "words", "--json")
    status, out, err = await asyncio.to_thread(_eval, *argv, env={"SEMANTIK_API_KEY": made["key"]})
    assert status == 0, err
    assert len(json.loads(out)["answers"]["words"]) == 10


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("/nowhere",), "There is no /nowhere. Name a BEIR folder, or a CSV file."),
        (("q.csv",), "A CSV file needs --folder with the documents, or --url"),
        (("q.csv", "--url", "ftp://x"), "is not the URL of a server"),
        (("q.csv", "--url", "http://localhost:1"), "--url needs an API key"),
        (("q.csv", "--folder", "nowhere"), "--folder nowhere is not a folder."),
        (("q.csv", "--folder", ".", "--collection", "A"), "--collection and --api-key are for the server"),
        (
            ("q.csv", "--folder", ".", "--modes", "hybrid,luck"),
            "there is no mode 'luck'; there are hybrid, meaning, words",
        ),
        (("bad.csv", "--folder", "."), "bad.csv, line 2: the path is missing"),
    ],
)
def test_a_wrong_use_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...], message: str,
) -> None:  # fmt: skip
    from semantik.commands import eval as command

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEMANTIK_API_KEY", raising=False)
    Path("q.csv").write_text(_QUESTIONS)
    Path("bad.csv").write_text("When?,a.txt\nWhere?\n")
    assert command.main(list(words)) == 2
    assert message in capsys.readouterr().err
