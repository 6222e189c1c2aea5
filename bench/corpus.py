"""Real texts to measure with, from Debian's packages: fetched once, unpacked below build/bench, never installed."""

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
HOME = ROOT / "build" / "bench"
_GLOSSES = 117_659
_TOGETHER = 1000
_MADE = 1_700_000_000  # the time in what is converted, so that it comes out the same


@dataclass(frozen=True)
class Pick:
    """`count` of a package's files that match `glob` and have 2 to `most_kib` KiB, spread evenly over their names.

    `to` is the format that they are converted to, where that is another.
    """

    package: str
    glob: str
    count: int
    to: str = ""
    most_kib: int = 64


_DOCUMENTS = (
    Pick("debian-policy", "usr/share/doc/debian-policy/fhs/fhs-3.0.pdf.gz", 1, most_kib=2000),
    Pick("debian-faq", "usr/share/doc/debian/FAQ/debian-faq.en.pdf.gz", 1, most_kib=2000),
    Pick("maint-guide", "usr/share/doc/maint-guide/*.pdf", 1, most_kib=2000),
    Pick("developers-reference", "usr/share/developers-reference/*.epub", 1, most_kib=2000),
    Pick("debian-policy", "usr/share/doc/debian-policy/upgrading-checklist.txt.gz", 1, most_kib=2000),
    Pick("git-doc", "usr/share/doc/git/html/git-[a-l]*.html", 30, most_kib=40),
    Pick("sqlite3-doc", "usr/share/doc/sqlite3/c3ref/*.html", 40),
    Pick("sqlite3-doc", "usr/share/doc/sqlite3/*.html", 12),
    Pick("postgresql-doc-15", "usr/share/doc/postgresql-doc-15/html/sql-*.html", 35),
    Pick("python3.11-doc", "usr/share/doc/python3.11/html/_sources/library/*.txt", 30, most_kib=30),
    Pick("doc-debian", "usr/share/doc/debian/*.txt*", 8),
    Pick("anarchism", "usr/share/doc/anarchism/markdown/*.md.gz", 25, most_kib=12),
    Pick("postgresql-doc-15", "usr/share/doc/postgresql-doc-15/html/functions-*.html", 10, "docx"),
    Pick("debian-reference-en", "usr/share/debian-reference/ch*.en.html", 2, "docx", 100),
    Pick("apache2-doc", "usr/share/doc/apache2-doc/manual/en/mod/mod_[a-d]*.html", 18, "docx"),
    Pick("apache2-doc", "usr/share/doc/apache2-doc/manual/en/mod/mod_[l-s]*.html", 20, "odt"),
    Pick("abs-guide", "usr/share/doc/abs-guide/html/*.html", 15, "pptx"),
    Pick("abs-guide", "usr/share/doc/abs-guide/html/[d-s]*.html", 15, "rtf"),
    Pick("gnuplot-doc", "usr/share/doc/gnuplot/htmldocs/*.html", 10, "rtf"),
    Pick("debian-policy", "usr/share/doc/debian-policy/policy.html/ch-*.html", 6, "epub", 200),
    Pick("git-doc", "usr/share/doc/git/html/git-[m-z]*.txt", 32, "eml", 15),
    Pick("distro-info-data", "usr/share/distro-info/*.csv", 2),
)


def package(name: str) -> Path:
    """The folder with the files of a Debian package. Raises SystemExit with a sentence where there is none."""
    folder = HOME / "packages" / name
    if not folder.exists():
        fresh = folder.with_name(f"{name}.new")
        fresh.mkdir(parents=True, exist_ok=True)
        _run(["apt-get", "download", "-qq", name], fresh)
        file = next(fresh.glob("*.deb"))
        _run(["dpkg-deb", "-x", file.name, "."], fresh)
        file.unlink()
        fresh.rename(folder)
    return folder


def _run(command: list[str], folder: Path) -> None:
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", "") or error
        raise SystemExit(f"{' '.join(command)} failed, which the measurements need: {reason}") from error


def glosses() -> list[str]:
    """The 117 659 definitions of WordNet, one sentence or a few each, in the order of its files."""
    folder = package("wordnet-base") / "usr" / "share" / "wordnet"
    found = [
        line.partition(" | ")[2].strip()
        for part in ("noun", "verb", "adj", "adv")
        for line in (folder / f"data.{part}").read_text("utf-8", "replace").splitlines()
        if not line.startswith("  ")
    ]
    assert len(found) == _GLOSSES, len(found)
    return found


def small_files(count: int) -> Path:
    """A folder with so many text files of one definition each; 1 000 in a subfolder, all of different content."""
    folder = HOME / f"small-{count}"
    if not folder.exists():
        fresh = folder.with_name(f"{folder.name}.new")
        texts = glosses()
        for number in range(count):
            home = fresh / f"{number // _TOGETHER:04}"
            home.mkdir(parents=True, exist_ok=True)
            text = f"Entry {number}: {texts[number % len(texts)]}\n"
            (home / f"{number:06}.txt").write_text(text, "utf-8")
        fresh.rename(folder)
    return folder


def documents() -> Path:
    """A folder with 300 to 400 real documents of a dozen formats, some 4 000 chunks: manuals, guides, essays."""
    folder = HOME / "documents"
    if not folder.exists():
        fresh = folder.with_name(f"{folder.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        for pick in _DOCUMENTS:
            for file in _chosen(pick):
                _put(file, fresh / (pick.to or file.name.removesuffix(".gz").rpartition(".")[2]), pick)
        fresh.rename(folder)
    return folder


def _chosen(pick: Pick) -> Iterator[Path]:
    found = [
        path
        for path in sorted(package(pick.package).glob(pick.glob))
        if path.is_file() and not path.is_symlink() and 1 << 11 <= path.stat().st_size <= pick.most_kib << 10
    ]
    count = min(pick.count, len(found))
    return (found[at * len(found) // count] for at in range(count))


def _put(file: Path, folder: Path, pick: Pick) -> None:
    """Put a file into the folder of its format, unpacked and converted."""
    folder.mkdir(parents=True, exist_ok=True)
    name = file.name.removesuffix(".gz")
    target = folder / f"{pick.package}-{name}"
    data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    if not pick.to:
        target.write_bytes(data)
    elif pick.to == "eml":
        target.with_suffix(".eml").write_bytes(_mail(name, data.decode("utf-8", "replace")))
    else:
        _convert(file, target.with_suffix(f".{pick.to}"), pick.to)


def _convert(file: Path, target: Path, to: str) -> None:
    libraries = package("liblua5.3-0") / "usr" / "lib" / "x86_64-linux-gnu"
    program = package("pandoc") / "usr" / "bin" / "pandoc"
    data = package("pandoc-data") / "usr" / "share" / "pandoc"
    command = ["env", f"LD_LIBRARY_PATH={libraries}", f"pandoc_datadir={data}", f"SOURCE_DATE_EPOCH={_MADE}"]
    command += [str(program), "--standalone"]
    command += ["--from=html-native_divs-native_spans", f"--to={to}", f"--metadata=title={file.stem}"]
    _run([*command, f"--resource-path={file.parent}", f"--output={target}", str(file)], target.parent)


def _mail(name: str, text: str) -> bytes:
    mail = EmailMessage(SMTP)
    mail["Subject"], mail["From"], mail["To"] = name, "release@example.org", "announce@example.org"
    mail["Date"] = "Tue, 14 Nov 2023 22:13:20 +0000"
    mail.set_content(text)
    return mail.as_bytes()
