"""What independent tools read of a document, to compare with: pdftotext, pandoc, LibreOffice, asciidoctor, man, mu.

They are called as programs, with a time limit, and are needed for this comparison only.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.word_comparison import without_running_lines

_TIMEOUT_S = 180
_CSV_OF_ALL_SHEETS = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
_FILTER = Path(__file__).with_name("without_math.lua")
_PANDOC = {".rst": "rst", ".tex": "latex", ".md": "gfm"}
_SHEETS = (".xlsx", ".xls", ".ods")
_TEXTS = (".rtf", ".doc")
_ENTITY = re.compile(r"&(?!amp;|lt;|gt;|quot;|apos;)\w+;")
# What stands in the page alone: the time of the conversion, the table of contents, numbers that are counted.
_NO_NUMBERS = [
    option
    for name in ("toc", "sectnums", "table-caption", "example-caption", "figure-caption")
    for option in ("-a", f"{name}!")
] + ["-a", "nofooter"]
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
        # Asciidoctor writes no file outside its base folder in this mode.
        page.write_text(
            _run("asciidoctor", "-q", "-S", "secure", *_NO_NUMBERS, "-o", "-", str(file)), "utf-8"
        )
        return _pandoc(page)


def _fb2(file: Path) -> str:
    """FBReader's own books have entities that no document type declares, for which pandoc fails."""
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder, file.name)
        book.write_text(_ENTITY.sub("", file.read_text("utf-8")), "utf-8")
        return _pandoc(book)


def _pdf(file: Path) -> str:
    return without_running_lines(_run("pdftotext", "-enc", "UTF-8", str(file), "-").split("\f"))


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
    ".pdf": ("pdftotext", _pdf),
    ".adoc": ("asciidoctor", _asciidoctor),
    ".fb2": ("pandoc", _fb2),
    ".1": (
        "man",
        lambda file: _run("groff", "-man", "-Tutf8", "-P-cbou", "-Kutf8", "-rLL=999n", "-t", str(file)),
    ),
    ".eml": ("mu", lambda file: _run("mu", "view", str(file))),
}
