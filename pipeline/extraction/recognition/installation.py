"""Whether tesseract is installed on this machine, and for which languages; what is to be installed if not.

Runs the program, for some milliseconds, once a minute at most: in the worker processes, or in a thread of the server.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from semantik.core.child_environment import child_environment

PACKAGE = "tesseract-ocr"
_PROGRAM = "tesseract"
_TIMEOUT_S = 10.0
_KEEP_S = 60.0
_NO_LANGUAGES = frozenset({"osd", "equ", "snum"})  # data of tesseract that are no language
_FEW = 4  # languages; more make the recognition slow, and the wrong ones make it worse
DEFAULT = "eng"
_LOCALE_FILES = (Path("/etc/locale.conf"), Path("/etc/default/locale"))
# Codes of languages in locales (ISO 639-1) and in tesseract, where it is not those three letters that come to mind.
_CODES: Mapping[str, str] = {
    "ar": "ara", "bg": "bul", "ca": "cat", "cs": "ces", "da": "dan", "de": "deu", "el": "ell", "en": "eng",
    "es": "spa", "et": "est", "fa": "fas", "fi": "fin", "fr": "fra", "he": "heb", "hi": "hin", "hr": "hrv",
    "hu": "hun", "id": "ind", "is": "isl", "it": "ita", "ja": "jpn", "ko": "kor", "lt": "lit", "lv": "lav",
    "nb": "nor", "nl": "nld", "nn": "nor", "no": "nor", "pl": "pol", "pt": "por", "ro": "ron", "ru": "rus",
    "sk": "slk", "sl": "slv", "sr": "srp", "sv": "swe", "th": "tha", "tr": "tur", "uk": "ukr", "vi": "vie",
}  # fmt: skip


@dataclass(frozen=True)
class Engine:
    """An installed tesseract: its version, like "5.3.0", and the codes of its languages."""

    version: str
    languages: tuple[str, ...]

    @property
    def name(self) -> str:
        """As `Recognition.engine`."""
        return f"tesseract-{self.version}"


@dataclass(frozen=True)
class Recognition:
    """Whether text can be recognised here. `languages` like "eng+deu" are what it is recognised with, empty if it
    cannot be; `version` names the `engine` and languages, and texts of another version may differ. `reason` completes
    "This is a PNG image; …." where it cannot be; `warning` is a sentence about languages that are missing.
    """

    languages: str = ""
    version: str = ""
    reason: str = ""
    warning: str = ""
    engine: str = ""

    @property
    def is_ready(self) -> bool:
        return bool(self.languages)


def recognition(ocr: str, languages: Sequence[str]) -> Recognition:
    """What the settings `documents.ocr` and `documents.ocr_languages` come to on this machine."""
    if ocr == "off":
        return Recognition(reason='text in pictures is not read (documents.ocr = "off")')
    engine = find_engine()
    if engine is None:
        return Recognition(reason=f"its text can be read once the package {PACKAGE} is installed")
    wanted = tuple(languages) or default_languages(engine.languages, os.environ)
    found = [code for code in wanted if code in engine.languages]
    missing = [code for code in wanted if code not in engine.languages] or ([] if found else [DEFAULT])
    packages = " and ".join(package_of(code) for code in missing)
    packages = (
        f"the package{'s' if len(missing) > 1 else ''} {packages} {'are' if len(missing) > 1 else 'is'}"
    )
    if not found:
        return Recognition(reason=f"its text can be read once {packages} installed")
    joined = "+".join(found)
    warning = ""
    if missing:
        warning = (
            f"Text is recognised with {joined} only, until {packages} installed (documents.ocr_languages)."
        )
    return Recognition(joined, f"{engine.name} {joined}", warning=warning, engine=engine.name)


def package_of(code: str) -> str:
    """The Debian package of a language's data."""
    return f"{PACKAGE}-{code.lower().replace('_', '-').replace('/', '-')}"


def default_languages(installed: Sequence[str], environ: Mapping[str, str]) -> tuple[str, ...]:
    """All installed languages where they are few: they were installed on purpose. Else English and the system's."""
    if len(installed) <= _FEW:
        return tuple(sorted(installed, key=lambda code: (code != DEFAULT, code)))
    wanted = [DEFAULT, _CODES.get(_locale(environ)[:2], "")]
    return tuple(code for code in dict.fromkeys(wanted) if code in installed)


def _locale(environ: Mapping[str, str]) -> str:
    """The system's locale, like "de_DE.UTF-8"; a service has often none in its environment."""
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        if (value := environ.get(name, "")) and value.partition(".")[0] not in ("C", "POSIX"):
            return value
    for file in _LOCALE_FILES:
        try:
            found = re.search(r'^LANG="?([^"\n]+)', file.read_text(errors="replace"), re.MULTILINE)
        except OSError:
            continue
        if found:
            return found[1]
    return ""


class _Cache:
    """The engine as it was found last."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.path: str | None = None
        self.engine: Engine | None = None
        self.until = 0.0


_cache = _Cache()


def find_engine() -> Engine | None:
    """The installed tesseract, or None. What is installed meanwhile is noticed within a minute."""
    path = shutil.which(_PROGRAM)
    with _cache.lock:
        if path != _cache.path or time.monotonic() >= _cache.until:
            _cache.path, _cache.engine = path, _ask(path) if path else None
            _cache.until = time.monotonic() + _KEEP_S
        return _cache.engine


def _ask(path: str) -> Engine | None:
    version = re.search(r"tesseract\s+v?(\S+)", _output(path, "--version"))
    _, *codes = _output(path, "--list-langs").splitlines() or [""]
    languages = tuple(code for code in map(str.strip, codes) if code and code not in _NO_LANGUAGES)
    return Engine(version[1], languages) if version else None


def _output(path: str, option: str) -> str:
    try:
        ended = subprocess.run(
            [path, option],
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
            env=child_environment(os.environ),
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    # Version 3 and 4.0 write to stderr.
    return (ended.stdout or ended.stderr).decode(errors="replace")
