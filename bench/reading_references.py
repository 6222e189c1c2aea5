"""What independent tools read of a document, to compare with: pdftotext, pandoc, LibreOffice, asciidoctor, man, mu.

They are called as programs, with a time limit, and are needed for this comparison only.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

_TIMEOUT_S = 60
_CSV_OF_ALL_SHEETS = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
_FILTER = Path(__file__).with_name("without_math.lua")
_PANDOC = {".rst": "rst", ".tex": "latex", ".md": "gfm"}
_SHEETS = (".xlsx", ".xls", ".ods")
_TEXTS = (".rtf", ".doc")
_OFFICE = (*_SHEETS, *_TEXTS, ".pptx", ".ppt", ".odp")


class NoReference(Exception):
    """The tool is not on this machine, or cannot read this file."""


def reference(file: Path) -> tuple[str, str]:
    """(name of the tool, its text of the file). Raises NoReference."""
    suffix = file.suffix
    if suffix in _OFFICE:
        return "LibreOffice", _office(file)
    tool, read = _BY_SUFFIX.get(suffix, ("pandoc", _pandoc))
    return tool, read(file)


def _run(*command: str) -> str:
    if shutil.which(command[0]) is None:
        raise NoReference(f"{command[0]} is not on this machine.")
    try:
        ended = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise NoReference(f"{command[0]} takes too long.") from error
    if ended.returncode:
        raise NoReference(f"{command[0]} fails.")
    return ended.stdout.decode("utf-8", "replace")


def _pandoc(file: Path) -> str:
    format_ = _PANDOC.get(file.suffix, file.suffix[1:])
    return _run(
        "pandoc",
        "--sandbox",
        f"--lua-filter={_FILTER}",
        "-f",
        format_,
        "-t",
        "plain",
        "--wrap=none",
        str(file),
    )


def _asciidoctor(file: Path) -> str:
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "page.html")
        _run("asciidoctor", "-q", "-S", "secure", "-o", str(page), str(file))
        return _pandoc(page)


def _office(file: Path) -> str:
    with tempfile.TemporaryDirectory() as folder:
        target = "txt:Text (encoded):UTF8" if file.suffix in _TEXTS else "pdf"
        target = _CSV_OF_ALL_SHEETS if file.suffix in _SHEETS else target
        _run(
            "soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless",
            "--convert-to", target, "--outdir", folder, str(file),
        )  # fmt: skip
        made = sorted(Path(folder).glob(f"*.{target.partition(':')[0]}"))
        if not made:
            raise NoReference("LibreOffice makes no text.")
        if target != "pdf":
            return "\n".join(part.read_text("utf-8", "replace") for part in made)
        return _run("pdftotext", "-enc", "UTF-8", str(made[0]), "-")


_BY_SUFFIX: dict[str, tuple[str, Callable[[Path], str]]] = {
    ".pdf": ("pdftotext", lambda file: _run("pdftotext", "-enc", "UTF-8", str(file), "-")),
    ".adoc": ("asciidoctor", _asciidoctor),
    ".1": (
        "man",
        lambda file: _run("groff", "-man", "-Tutf8", "-P-cbou", "-Kutf8", "-rLL=999n", "-t", str(file)),
    ),
    ".eml": ("mu", lambda file: _run("mu", "view", str(file))),
}
