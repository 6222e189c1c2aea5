"""The folders that worker processes read whatever they do: programs, libraries, models. Runs on the loop.

No folder with settings, keys, data or documents is among them; of /etc there are single files.
"""

from __future__ import annotations

import os
import shutil
import site
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import pipeline
import semantik
from semantik.core.document_roots import is_inside

_SYSTEM = (
    "/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/nix/store", "/gnu/store",
    "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom",
    # What says how much memory and which processors there are; of its own process, what no other may read.
    "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/sys/vm", "/proc/sys/kernel/random",
    "/sys/devices/system", "/sys/fs/cgroup", "/sys/kernel/mm/transparent_hugepage",
    "/etc/ld.so.cache", "/etc/ld.so.preload", "/etc/localtime", "/etc/timezone", "/etc/mime.types", "/etc/alternatives",
    "/etc/locale.conf", "/etc/default/locale", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/magic",
)  # fmt: skip
_PROGRAMS = ("tesseract",)


def of_programs(environ: Mapping[str, str]) -> tuple[str, ...]:
    """What Python, its libraries and the programs of readers need."""
    found = [*_SYSTEM, sys.prefix, sys.base_prefix, sys.exec_prefix, *filter(_is_library, sys.path)]
    for folder in folders_of_packages():
        found += [str(path) for path in Path(folder).iterdir() if _is_package(path)]
    found += [os.path.realpath(sys.executable), *site.getsitepackages()]
    # An editable installation is found by a hook: its folder is not in sys.path.
    found += [folder for package in (pipeline, semantik) for folder in package.__path__]
    found += [each for each in environ.get("LD_LIBRARY_PATH", "").split(":") if each]
    found += [environ[name] for name in ("TESSDATA_PREFIX",) if environ.get(name)]
    programs = [path for name in _PROGRAMS if (path := shutil.which(name))]
    return _without_root(found + programs)


def folders_of_packages() -> tuple[str, ...]:
    """The folders from which Python imports and that also hold other things, like a checkout with its data folder.

    Of these, packages and modules are read, and Python has to list the folder itself.
    """
    return _without_root(each for each in sys.path if Path(each).is_dir() and not _is_library(each))


def _is_library(folder: str) -> bool:
    if Path(folder).name in ("site-packages", "dist-packages"):
        return True
    return is_inside(folder, tuple(each for each in (sys.prefix, sys.base_prefix) if each != "/"))


def _is_package(path: Path) -> bool:
    if path.is_dir():
        return any(path.glob("*.py")) or path.suffix in (".dist-info", ".egg-info")
    return path.suffix in (".py", ".so", ".pth")


def of_models(names: Iterable[str], environ: Mapping[str, str]) -> tuple[str, ...]:
    """The folders among the names of models, and the cache of those that were downloaded."""
    cache = environ.get("HF_HUB_CACHE") or environ.get("HUGGINGFACE_HUB_CACHE")
    home = environ.get("HF_HOME") or str(
        Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "huggingface")
    )
    cached = cache or str(Path(home, "hub"))
    sentence_transformers = environ.get("SENTENCE_TRANSFORMERS_HOME")
    # Unlike Path.is_dir, this raises for no text: a name may be longer than a path can be.
    folders = [name for name in names if os.path.isdir(name)]  # noqa: PTH112
    return _without_root([cached, *([sentence_transformers] if sentence_transformers else []), *folders])


def _without_root(paths: Iterable[str]) -> tuple[str, ...]:
    """The paths, absolute and each once; the folder of all files is left out."""
    absolute = (os.path.abspath(path) for path in paths)  # noqa: PTH100  # Path.absolute keeps ".."
    return tuple(path for path in dict.fromkeys(absolute) if path != "/")
