"""`semantik-worker` with the light model in its processes."""

from __future__ import annotations

import sys
from pathlib import Path

_TESTS = Path(__file__).resolve().parent.parent


def main() -> int:
    # The project first: the folders of its tests have the names of its packages.
    sys.path[:0] = [str(_TESTS.parent), str(_TESTS)]
    from support import light_model

    from semantik.commands import worker

    return worker.main(sys.argv[1:], functions=light_model.FUNCTIONS)


if __name__ == "__main__":
    raise SystemExit(main())
