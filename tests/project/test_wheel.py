"""The wheel, installed outside of the source tree, has the same commands, and they work."""

from __future__ import annotations

import asyncio
import os
import site
import subprocess
import sys
from pathlib import Path

import pytest
from support.api import PASSWORD, index
from support.patience import deadline, patience
from support.programs import run_program
from support.server import ROOT, SETUP_CODE

from semantik.client.api import Client


def _installed(folder: Path) -> Path:
    """The folder of programs of a new environment with the wheel; the packages that it needs are those of this one."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, timeout=patience(120), capture_output=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "env")], check=True)
    # A path of this kind is searched, but its own .pth files, one of which leads to the source tree, are not read.
    (packages,) = (folder / "env" / "lib").glob("python*/site-packages")
    (packages / "needed.pth").write_text(site.getsitepackages()[0])
    target = ["--python", str(folder / "env" / "bin" / "python"), "install", "--no-deps", "--no-index"]
    subprocess.run([*pip, *target, str(wheel)], check=True, timeout=patience(120), capture_output=True)
    return folder / "env" / "bin"


@pytest.mark.gen_test(timeout=600)
@pytest.mark.server
@pytest.mark.model
async def test_the_commands_of_the_wheel_work_outside_of_the_source_tree(tmp_path: Path) -> None:
    programs = await asyncio.to_thread(_installed, tmp_path)
    assert {path.name for path in (ROOT / "bin").glob("semantik*")} == {
        path.name for path in programs.glob("semantik*")
    }
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    where = await run_program(
        programs / "python", "-P", "-c", "import semantik; print(*semantik.__path__)", cwd=tmp_path, env=env
    )
    assert where[1].startswith(str(tmp_path)) and (where[0], where[2]) == (0, "")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "kite.txt").write_text("The kite flies over the northern meadow.")
    server = await asyncio.create_subprocess_exec(
        programs / "semantik", "server", "--port", "0", "--data", str(tmp_path / "data"),
        "--root", str(tmp_path / "texts"),
        cwd=tmp_path, env={**env, "SEMANTIK_AUTH_SETUP_CODE": SETUP_CODE}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        async with deadline():
            url = (await server.stdout.readline()).decode().removeprefix("Semantik is ready: ").strip()
        client = Client(url)
        await client.register("ann", PASSWORD, SETUP_CODE)
        await client.sign_in("ann", PASSWORD)
        await index(client, tmp_path / "texts", "Texts")
        status, found, errors = await run_program(
            programs / "semantik", "search", "kite", "--username", "ann", "--url", url,
            cwd=tmp_path, env=env, typed=PASSWORD,
        )  # fmt: skip
        assert (status, errors) == (0, "")
        assert "over the northern meadow." in found
    finally:
        server.terminate()
        async with deadline():
            await server.wait()
