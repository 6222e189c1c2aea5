"""The process that watches folders: what to watch comes in as lines of JSON, and what happens goes out as such.

    in:  {"watch": id, "path": path} | {"leave": id}
    out: {"id": id, "kind": "ready" | "changed"} | {"id": id, "kind": "gone" | "lost", "reason": sentence}

Of "gone" (there is no such folder) and "lost" (it cannot be watched) one is the last that is said of a watch. It is a
process of its own because watchfiles holds the whole interpreter while it goes through a tree: for a second where there
are ten thousand folders, for ever where a disk hangs. Knows neither stores nor the loop.
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

from pipeline.scanning.walker import WalkRules, may_be_read, resolve_source
from pipeline.watching.mounts import MOUNTS, network_disk
from semantik.core.errors import Forbidden, Invalid
from semantik.core.globs import Globs

_PR_SET_PDEATHSIG = 1
_STEP_MS = 250  # so far apart are two lines about one folder at least, however much happens in it
_TOGETHER_MS = 1000
_LOOK_MS = 1000  # so often it is looked whether the folder is still the one that is watched
_AGAIN_S = 2.0
_ADVICE = {
    "watch limit": "the machine's limit is reached: raise fs.inotify.max_user_watches (sysctl).",
    "Too many open files": "the machine's limit is reached: raise fs.inotify.max_user_instances (sysctl).",
    "ermission denied": "the server has no permission to read {where}: give it to the server.",
    "network disk": "{reason}, of which no change is told: with interval_s you say how often to scan it.",
}


def serve(rules: WalkRules) -> None:
    """Watch what standard input names until it ends."""
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
                self._stop.wait(_AGAIN_S)
        except (Invalid, Forbidden) as error:
            self._say("gone", reason=str(error))
        except (OSError, RuntimeError) as error:  # watchfiles raises both
            self._say("lost", reason=_advice(str(error)))

    def _watch(self, folder: Path) -> None:
        """Until it is no longer the folder that it was, or something in it cannot be told: then it is to begin anew."""
        kind = network_disk(folder, MOUNTS.read_text("utf-8", "surrogateescape"))
        if kind is not None:
            raise OSError(f"it lies on a network disk ({kind}), or one is mounted in it")
        was = _identity(folder)
        batches = watchfiles.watch(
            folder,
            watch_filter=None,
            debounce=_TOGETHER_MS,
            step=_STEP_MS,
            stop_event=self._stop,
            rust_timeout=_LOOK_MS,
            yield_on_timeout=True,
            force_polling=False,
            ignore_permission_denied=False,  # it would leave the rest of the tree without a word, at any error
        )
        with closing(batches):
            try:
                for batch in batches:
                    if not self._ready:
                        self._ready = True
                        self._say("ready")
                    if any(self._counts(folder, path, change) for change, path in batch):
                        self._say("changed")
                    if _identity(folder) != was:
                        break
            except (OSError, RuntimeError):
                # As for a name that is not UTF-8, after which it would say nothing else.
                if not self._ready:
                    raise
        self._say("changed")

    def _counts(self, folder: Path, path: str, change: watchfiles.Change) -> bool:
        """Whether a scan would see it. What the server writes in its own data folder must not lead to a scan."""
        name = path[len(str(folder).rstrip("/")) + 1 :]
        above = [name[:at] for at, char in enumerate(name) if char == "/"]
        is_folder = change != watchfiles.Change.deleted and Path(path).is_dir()
        if any(self._exclude.match(each, folder=True) for each in above) or self._exclude.match(
            name, is_folder
        ):
            return False
        return may_be_read(Path(os.path.realpath(path)), self._rules.roots, self._rules.forbidden)

    def _say(self, kind: str, **more: str) -> None:
        if not self._stop.is_set():
            with _saying:
                sys.stdout.write(json.dumps({"id": self._key, "kind": kind, **more}) + "\n")
                sys.stdout.flush()


_saying = Lock()


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _advice(error: str) -> str:
    """What is wrong with a folder that is there, and what to do."""
    reason, _, where = error.partition(" about ")
    for sign, advice in _ADVICE.items():
        if sign in reason:
            return advice.format(reason=reason, where=where.partition(" (Error")[0].strip('"[]'))
    return f"{error.rstrip('.')}."


def _main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # While watchfiles goes through a tree nobody reads here that the input has ended.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    given = json.loads(sys.argv[1])
    roots, exclude = tuple(given["roots"]), tuple(given["exclude"])
    serve(WalkRules(roots, exclude, tuple(Path(each) for each in given["forbidden"])))
    os._exit(0)


if __name__ == "__main__":
    _main()
