"""The process that watches folders. It reads requests from standard input and writes events, as lines of JSON.

    in:  {"watch": id, "path": path} | {"leave": id}
    out: {"id": id, "kind": "ready" | "changed"} | {"id": id, "kind": "gone" | "lost", "reason": sentence}

"gone" (there is no such folder) or "lost" (it cannot be watched) is the last event of a watch. It is a process of its
own because watchfiles holds the global interpreter lock while it walks a tree: for a second with ten thousand folders,
for ever when a disk hangs. Knows neither stores nor the loop.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from contextlib import closing
from pathlib import Path
from threading import Event, Lock, Thread

import watchfiles

from pipeline.scanning.walk_rules import WalkRules
from pipeline.watching.mounts import MOUNTS, network_disk
from semantik.core.document_roots import may_be_read, resolve_source
from semantik.core.errors import Forbidden, Invalid
from semantik.core.globs import Globs

_PR_SET_PDEATHSIG = 1
_STEP_MS = 250  # the shortest time between two events of one folder, however much happens in it
_DEBOUNCE_MS = 1000
_CHECK_MS = 1000  # how often to check that the path still leads to the folder that is watched
_RETRY_S = 2.0
_ADVICE = {
    "watch limit": "the machine's limit is reached: raise fs.inotify.max_user_watches (sysctl).",
    "Too many open files": "the machine's limit is reached: raise fs.inotify.max_user_instances (sysctl).",
    "ermission denied": "the server has no permission to read {where}: give it to the server.",
    "network disk": "{reason}, where changes are not reported: set interval_s to say how often to scan it.",
}


def serve(rules: WalkRules) -> None:
    """Watch the folders that standard input names, until it ends."""
    exclude = Globs(rules.exclude)
    stops: dict[str, Event] = {}
    for line in sys.stdin:
        message = json.loads(line)
        if "leave" in message:
            stops.pop(message["leave"]).set()
            continue
        stop = stops[message["watch"]] = Event()
        watch = _Watch(message["watch"], message["path"], rules, exclude, stop)
        Thread(target=watch.run, name=message["path"], daemon=True).start()


class _Watch:
    """One folder, watched in a thread of its own."""

    def __init__(self, key: str, path: str, rules: WalkRules, exclude: Globs, stop: Event) -> None:
        self._key = key
        self._path = path
        self._rules = rules
        self._exclude = exclude
        self._stop = stop
        self._ready = False

    def run(self) -> None:
        try:
            while not self._stop.is_set():
                self._ready = False
                self._watch(resolve_source(self._path, self._rules.roots, self._rules.forbidden))
                self._stop.wait(_RETRY_S)
        except (Invalid, Forbidden) as error:
            self._emit("gone", reason=str(error))
        except (OSError, RuntimeError) as error:  # watchfiles raises both
            self._emit("lost", reason=_advice(str(error)))

    def _watch(self, folder: Path) -> None:
        """Watch until the path leads to another folder, or a change cannot be reported: then the watch must restart."""
        kind = network_disk(folder, MOUNTS.read_text("utf-8", "surrogateescape"))
        if kind is not None:
            raise OSError(f"it lies on a network disk ({kind}), or one is mounted in it")
        identity = _identity(folder)
        batches = watchfiles.watch(
            folder,
            watch_filter=None,
            debounce=_DEBOUNCE_MS,
            step=_STEP_MS,
            stop_event=self._stop,
            rust_timeout=_CHECK_MS,
            yield_on_timeout=True,
            force_polling=False,
            ignore_permission_denied=False,  # else it would skip the rest of the tree silently, at any error
        )
        with closing(batches):
            try:
                for batch in batches:
                    if not self._ready:
                        self._ready = True
                        self._emit("ready")
                    if any(self._is_relevant(folder, path, change) for change, path in batch):
                        self._emit("changed")
                    if _identity(folder) != identity:
                        break
            except (OSError, RuntimeError):
                # A name that is not UTF-8 raises, for example; the iterator yields nothing after that.
                if not self._ready:
                    raise
        self._emit("changed")

    def _is_relevant(self, folder: Path, path: str, change: watchfiles.Change) -> bool:
        """Whether a scan would see a change. What the server writes into its own data folder must not cause a scan."""
        name = path[len(str(folder).rstrip("/")) + 1 :]
        parents = [name[:at] for at, char in enumerate(name) if char == "/"]
        is_folder = change != watchfiles.Change.deleted and Path(path).is_dir()
        if any(self._exclude.match(each, folder=True) for each in parents) or self._exclude.match(
            name, is_folder
        ):
            return False
        return may_be_read(Path(os.path.realpath(path)), self._rules.roots, self._rules.forbidden)

    def _emit(self, kind: str, **fields: str) -> None:
        if not self._stop.is_set():
            with _output_lock:
                sys.stdout.write(json.dumps({"id": self._key, "kind": kind, **fields}) + "\n")
                sys.stdout.flush()


_output_lock = Lock()


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _advice(error: str) -> str:
    """Why a folder that exists cannot be watched, and what to do."""
    reason, _, where = error.partition(" about ")
    for part, advice in _ADVICE.items():
        if part in reason:
            return advice.format(reason=reason, where=where.partition(" (Error")[0].strip('"[]'))
    return f"{error.rstrip('.')}."


def _main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # While watchfiles walks a tree, nothing here notices that the input has ended.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    rules = json.loads(sys.argv[1])
    roots, exclude = tuple(rules["roots"]), tuple(rules["exclude"])
    serve(WalkRules(roots, exclude, tuple(Path(each) for each in rules["forbidden"])))
    os._exit(0)


if __name__ == "__main__":
    _main()
