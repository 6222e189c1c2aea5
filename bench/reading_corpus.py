"""Real documents that Debian's packages ship, by format: downloaded, not installed, into build/bench/reading.

Needs apt-get with package lists (`apt-get update`) and dpkg-deb. What a package of another release does not have is
left out.
"""

from __future__ import annotations

import gzip
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.server_process import ROOT

FOLDER = ROOT / "build" / "bench" / "reading"
_MAX_BYTES = 3 << 20  # of a file
_MAX_PER_PACKAGE = 12
MAX_PER_FORMAT = 40

# The suffix of a format's files, and packages that ship some.
PACKAGES: dict[str, tuple[str, ...]] = {
    ".pdf": ("debian-reference-fr", "debian-reference-de", "debian-reference-ja", "live-manual-pdf", "maint-guide-fr",
             "debmake-doc", "gnuplot-doc", "python3-reportlab-doc", "r-doc-pdf", "libsystemc-doc",
             "fonts-sil-taiheritagepro", "psychtoolbox-3-common", "lilypond-doc-pdf-de", "zsh-doc",
             "texlive-publishers-doc"),
    ".docx": ("toppic-common", "fonts-texgyre-math", "r-cran-officer", "finalcif", "psychtoolbox-3-common", "previsat",
              "libreoffice-dmaths", "golang-github-gabriel-vasile-mimetype-dev", "libtango-doc"),
    ".odt": ("libreoffice-dev-doc", "live-manual-odf", "libreoffice-dmaths", "calligrawords-data", "jfractionlab",
             "python3-relatorio", "fonts-sil-taiheritagepro"),
    ".xlsx": ("xlsx2csv", "r-cran-openxlsx", "faust-common", "r-cran-readxl", "r-cran-gdata", "dynare"),
    ".xls": ("libspreadsheet-parseexcel-perl", "scilab-doc", "r-cran-gdata", "r-cran-readxl", "python-simpy-doc"),
    ".ods": ("libreoffice-help-ca", "libreoffice-dev-doc", "libreoffice-help-vi", "libreoffice-help-tr"),
    ".pptx": ("r-cran-officer", "libtango-doc", "libevas-loaders", "dyssol-doc"),
    ".odp": ("libmapsforge-java-doc", "libevas-loaders", "python3-relatorio", "simrisc", "tiatracker"),
    ".ppt": ("libsystemc-doc", "python3-rpyc-doc", "nyquist", "tokyocabinet-doc", "libevas-loaders"),
    ".epub": ("live-manual-epub", "debian-history", "debmake-doc", "calibre", "debian-edu-doc-legacy-nl"),
    ".rtf": ("cxref-doc", "sc3-plugins-language", "gworkspace-common", "muttprint-manual", "libdds-dev"),
    ".html": ("debian-reference-en", "git-doc", "zsh-doc", "python3-doc", "gnuplot-doc", "postgresql-doc-15"),
    ".ipynb": ("python-nbsphinx-doc", "python-fluids-doc", "python-skimage-doc", "python-statsmodels-doc"),
    ".org": ("golang-github-niklasfasching-go-org-dev", "cl-postmodern", "sisu", "elpa-magit", "openfoam-examples"),
    ".tex": ("texlive-publishers-doc", "dcl-f77-docs", "texlive-pictures-doc"),
    ".rst": ("python3-docutils", "python-nbsphinx-doc", "python-fluids-doc", "sphinx-doc"),
    ".adoc": ("ruby-asciidoctor", "golang-github-git-lfs-git-lfs-dev", "freeradius", "rdiff-backup"),
    ".md": ("golang-github-git-lfs-git-lfs-dev", "nodejs-doc", "rdiff-backup", "cargo-doc"),
    ".1": ("git-man", "zsh-common", "rsync", "openssl", "coreutils"),
    ".fb2": ("fbreader",),
    ".eml": ("mailman3", "fuzzyocr", "golang-github-gatherstars-com-jwz-dev"),
}  # fmt: skip


def documents() -> dict[str, list[Path]]:
    """The files by suffix, at most MAX_PER_FORMAT each, none twice; downloads what is not there yet."""
    (FOLDER / "packages").mkdir(parents=True, exist_ok=True)
    found: dict[str, list[Path]] = {}
    for suffix, packages in PACKAGES.items():
        files: list[Path] = []
        contents: set[str] = set()
        for package in packages:
            folder = _unpacked(package)
            own = 0
            for file in _files(folder, suffix) if folder else ():
                digest = hashlib.sha256(file.read_bytes()).hexdigest()
                if digest not in contents and own < _MAX_PER_PACKAGE and len(files) < MAX_PER_FORMAT:
                    contents.add(digest)
                    files.append(file)
                    own += 1
        found[suffix] = files
    return found


def _unpacked(package: str) -> Path | None:
    """The folder with the content of a package; None when there is no such package."""
    folder = FOLDER / "packages" / package
    if folder.exists():
        return folder
    debs = FOLDER / "debs" / package
    debs.mkdir(parents=True, exist_ok=True)
    ended = subprocess.run(
        ["apt-get", "download", "-qq", package], cwd=debs, check=False, capture_output=True, timeout=600
    )
    if ended.returncode:
        print(f"{package} cannot be downloaded, and is left out.", file=sys.stderr)
        return None
    [deb] = debs.glob("*.deb")
    partial = folder.with_name(f".{package}")
    shutil.rmtree(partial, ignore_errors=True)
    subprocess.run(["dpkg-deb", "-x", str(deb), str(partial)], check=True, timeout=600)
    deb.unlink()
    for file in partial.rglob("*"):
        if file.is_file() and not {*file.suffixes[-2:]} & PACKAGES.keys():
            file.unlink()
    partial.rename(folder)
    return folder


def _files(folder: Path, suffix: str) -> Iterator[Path]:
    """The files of a format in the order of their paths; compressed ones are unpacked beside themselves."""
    for file in sorted(folder.rglob(f"*{suffix}*")):
        if file.is_symlink() or not file.is_file():
            continue
        if file.name.endswith(f"{suffix}.gz") and not (plain := file.with_suffix("")).exists():
            with gzip.open(file) as packed:
                plain.write_bytes(packed.read(_MAX_BYTES + 1))
            file = plain
        if file.suffix == suffix and 0 < file.stat().st_size <= _MAX_BYTES:
            yield file
