"""Compares what is read of real documents with independent tools, for this build and an earlier one.

    python -m bench.reading [SUFFIX ...] [--before COMMIT | --no-before] [--files N] [--show N]

For each format: words lost (of those that the tool reads) and words added (of ours), in per cent, over all files, and
files that were not read. Words are compared as in `bench/word_comparison.py`. The results are saved as JSON.
"""

from __future__ import annotations

import argparse
import json
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.previous_build import previous_build
from bench.reading_corpus import documents
from bench.reading_references import NoReference, reference
from bench.server_process import ROOT
from bench.word_comparison import WordDifference, word_difference

BEFORE = "c36cab6"
OUTPUT = ROOT / "build" / "bench" / "reading.json"
_FILE_S = 120.0
# Runs in the build that is compared: paths come in, one JSON object for each goes out.
_READER = """
import json, sys
try:
    from pipeline.extraction import extract
except ImportError:
    from pipeline import extract
for line in sys.stdin:
    path = line.rstrip("\\n")
    try:
        text = extract.extract(path, open(path, "rb").read(), 1 << 30).text
        answer = {"text": text}
    except extract.ExtractError as error:
        answer = {"error": error.message}
    except Exception as error:
        answer = {"error": repr(error)}
    print(json.dumps(answer), flush=True)
"""


@dataclass
class Comparison:
    """The words of one format: those of the tool, those of ours, and the differences; and the files without text."""

    suffix: str
    tool: str = ""
    files: int = 0
    unread: int = 0
    expected: int = 0
    read: int = 0
    lost: int = 0
    added: int = 0
    seconds: float = 0.0

    @property
    def lost_share(self) -> float:
        return 100 * self.lost / self.expected if self.expected else 0.0

    @property
    def added_share(self) -> float:
        return 100 * self.added / self.read if self.read else 0.0


def read_texts(build: Path, files: Sequence[Path]) -> Iterator[tuple[str | None, float]]:
    """(text or None, seconds) of each file as a build reads it; a file that kills or hangs the process costs itself."""
    process = None
    for file in files:
        if process is None or process.poll() is not None:
            process = subprocess.Popen(
                [build / ".venv" / "bin" / "python", "-c", _READER],
                cwd=build, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            )  # fmt: skip
        assert process.stdin and process.stdout
        started = time.perf_counter()
        process.stdin.write(f"{file}\n")
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], _FILE_S)
        line = process.stdout.readline() if ready else ""
        if not line:
            process.kill()
        yield (json.loads(line).get("text") if line else None), time.perf_counter() - started
    if process is not None and process.stdin:
        process.stdin.close()
        process.wait(timeout=60)


def compare(
    suffix: str, files: Sequence[Path], expected: Sequence[tuple[str, str]], build: Path, show: int
) -> Comparison:
    """Compare a build's texts of the files of a format with those of the tool."""
    result = Comparison(suffix, expected[0][0] if expected else "", len(files))
    worst: list[tuple[Path, WordDifference]] = []
    for file, (_, theirs), (text, seconds) in zip(files, expected, read_texts(build, files), strict=True):
        found = word_difference(theirs, text or "")
        result.unread += text is None and found.words > 0
        result.expected += found.words
        result.read += found.words - found.lost.total() + found.added.total()
        result.lost += found.lost.total()
        result.added += found.added.total()
        result.seconds += seconds
        worst.append((file, found))
    for file, found in sorted(worst, key=lambda each: -each[1].total)[:show]:
        print(f"  {found.total} of {found.words} {file}")
        print(f"    lost {found.lost.most_common(12)}\n    added {found.added.most_common(12)}")
    return result


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.reading", description=__doc__)
    parser.add_argument("suffixes", nargs="*", help="formats to compare, as .pdf (default: all)")
    parser.add_argument("--before", default=BEFORE, help="the commit of the earlier build (%(default)s)")
    parser.add_argument("--no-before", action="store_true", help="this build only")
    parser.add_argument("--files", type=int, help="the most files of each format (default: all)")
    parser.add_argument("--show", type=int, default=0, help="print the worst files of each format")
    arguments = parser.parse_args()
    builds = [ROOT] if arguments.no_before else [previous_build(arguments.before), ROOT]
    rows: list[list[Comparison]] = []
    print(
        "format       tool          files   lost before    now   added before    now   unread before  now",
        flush=True,
    )
    for suffix, all_files in documents().items():
        if arguments.suffixes and suffix not in arguments.suffixes:
            continue
        files, expected = _with_references(all_files[: arguments.files])
        if files:
            rows.append([compare(suffix, files, expected, build, arguments.show) for build in builds])
            print(_line(rows[-1]), flush=True)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps([[asdict(one) for one in row] for row in rows], indent=1))
    print(
        f"{sum(row[-1].files for row in rows)} documents of {len(rows)} formats; {OUTPUT.relative_to(ROOT)}"
    )
    return 0


def _with_references(files: Sequence[Path]) -> tuple[list[Path], list[tuple[str, str]]]:
    kept, expected = [], []
    for file in files:
        try:
            expected.append(reference(file))
        except NoReference as reason:
            print(f"  left out: {file.name}: {reason}", file=sys.stderr)
        else:
            kept.append(file)
    return kept, expected


def _line(row: Sequence[Comparison]) -> str:
    before, now = row[0], row[-1]
    return (
        f"{now.suffix:12} {now.tool:12} {now.files:6} {before.lost_share:12.2f} {now.lost_share:7.2f} "
        f"{before.added_share:13.2f} {now.added_share:7.2f} {before.unread:14} {now.unread:5}"
    )


if __name__ == "__main__":
    raise SystemExit(main())
