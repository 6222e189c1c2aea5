#!/bin/sh
# pytest 9.2.0 with pytest-xdist 3.8.0: `--dist loadgroup` puts no tests together, and says nothing of it.
#
# A worker of pytest-xdist writes the group into the attribute `_nodeid` of each test; pytest 9.2 keeps the node's id in
# another place, so that the controller sees ids without groups. Tests of one group run in several workers at once.
#
# Seen: with pytest 9.1.1 the four tests of one group run in one worker of two, with pytest 9.2.0 in two.
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/test_group.py" <<'PYTHON'
import os
import time

import pytest


@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(4))
def test_worker(number):
    time.sleep(0.5)
    with open(os.environ["WORKERS"], "a") as file:
        file.write(os.environ["PYTEST_XDIST_WORKER"] + "\n")
PYTHON
workers() {
    python3 -m venv "$folder/$1"
    "$folder/$1/bin/pip" install --quiet --disable-pip-version-check "pytest==$1" pytest-xdist==3.8.0
    (cd "$folder" && WORKERS="$folder/$1.workers" "$folder/$1/bin/python" -m pytest -q -n 2 --dist loadgroup test_group.py) >&2
    sort -u "$folder/$1.workers" | wc -l
}
before=$(workers 9.1.1)
after=$(workers 9.2.0)
echo "workers that ran the group: $before with pytest 9.1.1, $after with pytest 9.2.0"
[ "$before" -eq 1 ] && [ "$after" -eq 2 ]
