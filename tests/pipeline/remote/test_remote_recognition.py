"""Pages are recognised by the workers of a cluster as by local ones, and here where these cannot."""

from __future__ import annotations

import asyncio
import shutil
import signal
import zipfile
from pathlib import Path

import pytest
from conftest import run
from PIL import Image
from support.cluster import Cluster, cluster
from support.hold import held
from support.patience import deadline
from support.pools import OPTIONS, ready_pool
from support.processes import suspend
from support.remote_pools import Counting, ended_requests, remote_pool, until_running
from support.scans import encoded, lines_of_text, page
from support.two_servers import until

from pipeline.compute.messages import FileTask, PartPlace, ReadFailure
from pipeline.compute.page_messages import PageTask
from pipeline.extraction.container_reader import CONTAINERS
from pipeline.extraction.part import ContainerLimits
from pipeline.extraction.recognition.installation import recognition

__all__ = ["cluster"]

pytestmark = [pytest.mark.usefixtures("light_fork_server"), pytest.mark.server]


def _picture(number: int) -> Image.Image:
    return page(lines_of_text(number, 3, 4))


def _scan(path: Path, *numbers: int) -> Path:
    """A TIFF file with a page for each number."""
    first, *more = map(_picture, numbers)
    path.write_bytes(encoded(first, "TIFF", save_all=True, append_images=more))
    return path


def _tasks(path: Path, count: int = 1) -> list[PageTask]:
    status = path.stat()
    file = FileTask(path.name, str(path), status.st_size, roots=("/",))
    found = recognition("on", ["eng"])
    return [
        PageTask(file, "image/tiff", number, found.languages, status.st_mtime_ns, found.engine)
        for number in range(1, count + 1)
    ]


def test_pages_are_recognised_there_as_here(cluster: Cluster, tmp_path: Path) -> None:
    pages = _tasks(_scan(tmp_path / "baskets.tif", 1, 2, 3), 3)
    before = ended_requests(cluster.workers, "Recognise")

    async def test() -> None:
        async with ready_pool() as local:
            counting = Counting(local)
            async with remote_pool(cluster, counting) as pool:
                there = await pool.recognise(pages)
            assert not counting.calls
            assert there == await local.recognise(pages)
        assert [f"Basket {1000 + number}" in one.text for number, one in enumerate(there, 1)] == [True] * 3
        assert all(one.problem is None and one.confidence > 70 for one in there)

    run(test())
    assert sum(ended_requests(cluster.workers, "Recognise")) == sum(before) + 1


def test_a_page_in_a_container_is_recognised_there(cluster: Cluster, tmp_path: Path) -> None:
    path = tmp_path / "baskets.zip"
    with zipfile.ZipFile(path, "w") as container:
        container.writestr("basket.png", encoded(_picture(7), "PNG"))
    with path.open("rb") as file:
        [part] = CONTAINERS["application/zip"].parts(file, ContainerLimits(10, 1 << 20, ()))
    place = PartPlace(((part.name, part.locator),), path.stat().st_size, path.stat().st_mtime_ns)
    found = recognition("on", ["eng"])
    file = FileTask("part", str(path), part.size, place=place, roots=("/",))
    task = PageTask(file, "image/png", 1, found.languages, None, found.engine)

    async def test() -> None:
        async with ready_pool() as local:
            counting = Counting(local)
            async with remote_pool(cluster, counting) as pool:
                [text] = await pool.recognise([task])
            assert "Basket 1007" in text.text
            assert not counting.calls

    run(test())


@pytest.mark.parametrize(
    ("action", "problem"), [("crash", "its recognition failed"), ("hang", "took longer")]
)
def test_a_page_that_ends_its_process_costs_one_failure_and_no_worker(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, action: str, problem: str
) -> None:
    monkeypatch.setenv("SEMANTIK_FAILPOINT", f"recognise:{action}:venom")
    [poison] = _tasks(_scan(tmp_path / "venom.tif", 1))
    [good] = _tasks(_scan(tmp_path / "basket.tif", 2))

    async def test() -> None:
        async with ready_pool() as local:
            counting = Counting(local)
            async with remote_pool(cluster, counting, ocr_page_timeout_s=5) as pool:
                [first], [second] = await asyncio.gather(pool.recognise([poison]), pool.recognise([good]))
                assert not first.text and problem in (first.problem or "")
                assert "Basket 1002" in second.text
            assert not counting.calls

    run(test())
    assert [worker.process.poll() for worker in cluster.workers] == [None, None]


def test_a_file_that_changed_has_no_page(cluster: Cluster, tmp_path: Path) -> None:
    path = _scan(tmp_path / "basket.tif", 1)
    pages = _tasks(path)
    _scan(path, 2, 3)

    async def test() -> None:
        async with ready_pool() as local:
            counting = Counting(local)
            async with remote_pool(cluster, counting) as pool:
                assert [one.lost for one in await pool.recognise(pages)] == [True]
            assert not counting.calls

    run(test())


def test_large_files_stay_here_and_of_others_some_pages_go_together(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = _tasks(_scan(tmp_path / "basket.tif", 1))
    small, medium, large = (FileTask("", "/scan.pdf", size << 20) for size in (1, 5, 33))

    async def test() -> None:
        async with ready_pool() as local:
            counting = Counting(local)
            async with remote_pool(cluster, counting) as pool:
                together = [pool.pages_together(file, 100) for file in (small, medium, large)]
                assert together == [1, 5, 1]
                assert [pool.pages_together(medium, left) for left in (1, 2, 7)] == [1, 1, 4]
                monkeypatch.setattr("pipeline.remote.pool._MAX_TASK_BYTES", pages[0].file.size - 1)
                [text] = await pool.recognise(pages)
                assert "Basket 1001" in text.text
            assert counting.calls == ["recognise"]
            assert local.pages_together(medium, 100) == 1

    run(test())


def _fake_tesseract(folder: Path, version: str, status: int) -> dict[str, str]:
    """The environment of a worker whose tesseract says that it has this version, and ends with this status."""
    folder.mkdir()
    program = folder / "tesseract"
    program.write_text(
        f'#!/bin/sh\ncase "$1" in\n--version) echo "tesseract {version}";;\n'
        f'--list-langs) echo "List:"; echo eng;;\n*) echo "no data" >&2; exit {status};;\nesac\n'
    )
    program.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


@pytest.mark.noisy
@pytest.mark.parametrize("worker_has", ["no tesseract", "another version"])
def test_what_no_worker_can_recognise_is_recognised_here_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, worker_has: str
) -> None:
    pages = _tasks(_scan(tmp_path / "basket.tif", 1, 2), 2)
    (tmp_path / "empty").mkdir()
    without = {"PATH": str(tmp_path / "empty")}
    env = without if worker_has == "no tesseract" else _fake_tesseract(tmp_path / "other", "2.0", 0)

    async def test() -> None:
        with Cluster(tmp_path / "cluster") as small:
            [worker] = small.start_workers(1, env=env)
            async with ready_pool() as local:
                counting = Counting(local)
                async with remote_pool(small, counting, slots=1) as pool:
                    for each in pages:
                        [text] = await pool.recognise([each])
                        assert f"Basket {1000 + each.number}" in text.text
                assert counting.calls == ["recognise"] * 2
            assert ended_requests([worker], "Recognise") == [0]
            said = worker.log.read_text().count("the package tesseract-ocr is not installed")
            assert said == (worker_has == "no tesseract")

    run(test())
    assert caplog.text.count(f"No worker of the cluster has {pages[0].engine} eng") == 1


@pytest.mark.noisy
def test_a_page_goes_to_the_worker_that_has_tesseract_and_here_once_that_has_gone(tmp_path: Path) -> None:
    pages = _tasks(_scan(tmp_path / "basket.tif", *range(1, 5)), 4)
    (tmp_path / "empty").mkdir()
    folder = tmp_path / "folder"
    folder.mkdir()
    [last] = _tasks(_scan(folder / "last.tif", 5))

    async def test() -> None:
        with Cluster(tmp_path / "cluster") as small:
            [unable] = small.start_workers(1, env={"PATH": str(tmp_path / "empty")})
            [able] = small.start_workers(1)
            async with ready_pool() as local:
                counting = Counting(local)
                async with remote_pool(small, counting) as pool:
                    texts = await asyncio.gather(*(pool.recognise([each]) for each in pages))
                    assert all(f"Basket {1000 + number}" in one.text for number, [one] in enumerate(texts, 1))
                    assert not counting.calls
                    assert ended_requests([unable, able], "Recognise") == [0, 4]
                    with held(folder):
                        recognising = asyncio.create_task(pool.recognise([last]))
                        await until_running(pool, 1)
                        able.process.kill()
                        async with deadline():
                            await until(lambda: counting.calls == ["recognise"])
                    [text] = await recognising
                    assert "Basket 1005" in text.text and pool.is_remote

    run(test())


@pytest.mark.noisy
def test_a_page_on_which_a_workers_tesseract_fails_is_recognised_here(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pages = _tasks(_scan(tmp_path / "basket.tif", 1, 2), 2)
    version = pages[0].engine.removeprefix("tesseract-")

    async def test() -> None:
        with Cluster(tmp_path / "cluster") as small:
            [worker] = small.start_workers(1, env=_fake_tesseract(tmp_path / "broken", version, 1))
            async with ready_pool() as local:
                counting = Counting(local)
                async with remote_pool(small, counting, slots=1) as pool:
                    for each in pages:
                        [text] = await pool.recognise([each])
                        assert f"Basket {1000 + each.number}" in text.text
                assert counting.calls == ["recognise"] * 2
            assert ended_requests([worker], "Recognise") == [2]

    run(test())
    assert caplog.text.count("A worker of the cluster could not read a page") == 1
    assert "no data" in caplog.text


def test_a_page_of_a_worker_that_hangs_is_recognised_here_after_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.remote.pool._PATIENCE", 0.05)  # of 65 s
    pages = _tasks(_scan(tmp_path / "basket.tif", 1))

    async def test() -> None:
        with Cluster(tmp_path / "cluster") as small:
            [worker] = small.start_workers(1)
            async with ready_pool() as local:
                counting = Counting(local)
                async with remote_pool(small, counting, slots=1) as pool:
                    suspend(worker.process.pid)
                    async with deadline():
                        [text] = await pool.recognise(pages)
                    worker.process.send_signal(signal.SIGCONT)
                    assert "Basket 1001" in text.text
                    assert counting.calls == ["recognise"]
                    async with (
                        deadline()
                    ):  # on a busy machine the scheduler may have given the worker up meanwhile
                        await until(lambda: pool.is_remote)

    run(test())


@pytest.mark.noisy
def test_what_is_said_of_a_picture_is_what_the_server_can_recognise(tmp_path: Path) -> None:
    path = tmp_path / "basket.png"
    path.write_bytes(encoded(_picture(1), "PNG"))
    file = FileTask("basket", str(path), path.stat().st_size, roots=("/",))
    (tmp_path / "empty").mkdir()

    async def test() -> None:
        with Cluster(tmp_path / "cluster") as small:
            small.start_workers(1, env={"PATH": str(tmp_path / "empty")})
            async with ready_pool() as local:
                counting = Counting(local)
                async with remote_pool(small, counting, slots=1, ocr="on") as pool:
                    [outcome] = await pool.read([file], OPTIONS)
                assert isinstance(outcome, ReadFailure) and outcome.unrecognised == (1,)
                assert outcome.skipped and "still to be recognised" in outcome.message
                assert not counting.calls

    run(test())


def test_the_engine_that_is_installed_is_named() -> None:
    found = recognition("on", ["eng"])
    assert shutil.which("tesseract") and found.version == f"{found.engine} eng"
