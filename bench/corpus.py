"""The texts of the benchmarks, from Debian packages: downloaded once, unpacked below build/bench, never installed."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK_FOLDER = ROOT / "build" / "bench"
_DEFINITIONS = 117_659
_FILES_PER_FOLDER = 1000
_SOURCE_DATE_EPOCH = 1_700_000_000  # the timestamp in converted files, so that they are reproducible


@dataclass(frozen=True)
class FileSelection:
    """`count` files of a package that match `glob` and have 2 to `max_kib` KiB, sampled evenly by name.

    `format` is the format that they are converted to; "" keeps their own.
    """

    package: str
    glob: str
    count: int
    format: str = ""
    max_kib: int = 64


_DOCUMENTS = (
    FileSelection("debian-policy", "usr/share/doc/debian-policy/fhs/fhs-3.0.pdf.gz", 1, max_kib=2000),
    FileSelection("debian-faq", "usr/share/doc/debian/FAQ/debian-faq.en.pdf.gz", 1, max_kib=2000),
    FileSelection("maint-guide", "usr/share/doc/maint-guide/*.pdf", 1, max_kib=2000),
    FileSelection("developers-reference", "usr/share/developers-reference/*.epub", 1, max_kib=2000),
    FileSelection("debian-policy", "usr/share/doc/debian-policy/upgrading-checklist.txt.gz", 1, max_kib=2000),
    FileSelection("git-doc", "usr/share/doc/git/html/git-[a-l]*.html", 30, max_kib=40),
    FileSelection("sqlite3-doc", "usr/share/doc/sqlite3/c3ref/*.html", 40),
    FileSelection("sqlite3-doc", "usr/share/doc/sqlite3/*.html", 12),
    FileSelection("postgresql-doc-15", "usr/share/doc/postgresql-doc-15/html/sql-*.html", 35),
    FileSelection("python3.11-doc", "usr/share/doc/python3.11/html/_sources/library/*.txt", 30, max_kib=30),
    FileSelection("doc-debian", "usr/share/doc/debian/*.txt*", 8),
    FileSelection("anarchism", "usr/share/doc/anarchism/markdown/*.md.gz", 25, max_kib=12),
    FileSelection("postgresql-doc-15", "usr/share/doc/postgresql-doc-15/html/functions-*.html", 10, "docx"),
    FileSelection("debian-reference-en", "usr/share/debian-reference/ch*.en.html", 2, "docx", 100),
    FileSelection("apache2-doc", "usr/share/doc/apache2-doc/manual/en/mod/mod_[a-d]*.html", 18, "docx"),
    FileSelection("apache2-doc", "usr/share/doc/apache2-doc/manual/en/mod/mod_[l-s]*.html", 20, "odt"),
    FileSelection("abs-guide", "usr/share/doc/abs-guide/html/*.html", 15, "pptx"),
    FileSelection("abs-guide", "usr/share/doc/abs-guide/html/[d-s]*.html", 15, "rtf"),
    FileSelection("gnuplot-doc", "usr/share/doc/gnuplot/htmldocs/*.html", 10, "rtf"),
    FileSelection("debian-policy", "usr/share/doc/debian-policy/policy.html/ch-*.html", 6, "epub", 200),
    FileSelection("git-doc", "usr/share/doc/git/html/git-[m-z]*.txt", 32, "eml", 15),
    FileSelection("distro-info-data", "usr/share/distro-info/*.csv", 2),
)


def package(name: str) -> Path:
    """The folder with the unpacked files of a Debian package. Raises SystemExit if it cannot be downloaded."""
    folder = WORK_FOLDER / "packages" / name
    if not folder.exists():
        temporary = folder.with_name(f"{name}.new")
        temporary.mkdir(parents=True, exist_ok=True)
        _run(["apt-get", "download", "-qq", name], temporary)
        file = next(temporary.glob("*.deb"))
        _run(["dpkg-deb", "-x", file.name, "."], temporary)
        file.unlink()
        temporary.rename(folder)
    return folder


def _run(command: list[str], folder: Path) -> None:
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", "") or error
        raise SystemExit(f"{' '.join(command)} failed, but the benchmarks need it: {reason}") from error


def wordnet_definitions() -> list[str]:
    """The 117 659 definitions of WordNet, one sentence or a few each, in the order of its files."""
    folder = package("wordnet-base") / "usr" / "share" / "wordnet"
    found = [
        line.partition(" | ")[2].strip()
        for part in ("noun", "verb", "adj", "adv")
        for line in (folder / f"data.{part}").read_text("utf-8", "replace").splitlines()
        if not line.startswith("  ")
    ]
    assert len(found) == _DEFINITIONS, len(found)
    return found


def wordnet_questions() -> list[str]:
    """A question for each noun of WordNet, such as "What is a truffle?", in the order of its file."""
    folder = package("wordnet-base") / "usr" / "share" / "wordnet"
    lines = (folder / "data.noun").read_text("utf-8", "replace").splitlines()
    return [f"What is a {line.split()[4].replace('_', ' ')}?" for line in lines if not line.startswith("  ")]


def small_files(count: int, words: int | None = None) -> Path:
    """A folder with `count` text files of one definition each or its first `words` words, all with different content;
    1 000 in a subfolder."""
    folder = WORK_FOLDER / (f"small-{count}" if words is None else f"small-{count}-{words}")
    if not folder.exists():
        temporary = folder.with_name(f"{folder.name}.new")
        texts = wordnet_definitions()
        for number in range(count):
            subfolder = temporary / f"{number // _FILES_PER_FOLDER:04}"
            subfolder.mkdir(parents=True, exist_ok=True)
            text = texts[number % len(texts)]
            if words is not None:
                text = " ".join(text.split()[:words])
            (subfolder / f"{number:06}.txt").write_text(f"Entry {number}: {text}\n", "utf-8")
        temporary.rename(folder)
    return folder


def documents() -> Path:
    """A folder with 300 to 400 real documents of a dozen formats, some 4 000 chunks: manuals, guides, essays."""
    folder = WORK_FOLDER / "documents"
    if not folder.exists():
        temporary = folder.with_name(f"{folder.name}.new")
        shutil.rmtree(temporary, ignore_errors=True)
        for selection in _DOCUMENTS:
            for file in _selected_files(selection):
                _write_document(
                    file,
                    temporary / (selection.format or file.name.removesuffix(".gz").rpartition(".")[2]),
                    selection,
                )
        temporary.rename(folder)
    return folder


def _selected_files(selection: FileSelection) -> Iterator[Path]:
    found = [
        path
        for path in sorted(package(selection.package).glob(selection.glob))
        if path.is_file()
        and not path.is_symlink()
        and 1 << 11 <= path.stat().st_size <= selection.max_kib << 10
    ]
    count = min(selection.count, len(found))
    return (found[position * len(found) // count] for position in range(count))


def _write_document(file: Path, folder: Path, selection: FileSelection) -> None:
    """Write a file into the folder of its format, unpacked and converted."""
    folder.mkdir(parents=True, exist_ok=True)
    name = file.name.removesuffix(".gz")
    target = folder / f"{selection.package}-{name}"
    data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    if not selection.format:
        target.write_bytes(data)
    elif selection.format == "eml":
        target.with_suffix(".eml").write_bytes(_mail(name, data.decode("utf-8", "replace")))
    else:
        _convert(file, target.with_suffix(f".{selection.format}"), selection.format)


def _convert(file: Path, target: Path, format: str) -> None:
    libraries = package("liblua5.3-0") / "usr" / "lib" / "x86_64-linux-gnu"
    program = package("pandoc") / "usr" / "bin" / "pandoc"
    data = package("pandoc-data") / "usr" / "share" / "pandoc"
    command = [
        "env",
        f"LD_LIBRARY_PATH={libraries}",
        f"pandoc_datadir={data}",
        f"SOURCE_DATE_EPOCH={_SOURCE_DATE_EPOCH}",
    ]
    command += [str(program), "--standalone"]
    command += ["--from=html-native_divs-native_spans", f"--to={format}", f"--metadata=title={file.stem}"]
    _run([*command, f"--resource-path={file.parent}", f"--output={target}", str(file)], target.parent)


def _mail(name: str, text: str) -> bytes:
    mail = EmailMessage(SMTP)
    mail["Subject"], mail["From"], mail["To"] = name, "release@example.org", "announce@example.org"
    mail["Date"] = "Tue, 14 Nov 2023 22:13:20 +0000"
    mail.set_content(text)
    return mail.as_bytes()
