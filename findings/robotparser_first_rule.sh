#!/bin/sh
# urllib.robotparser (Python's standard library) takes the first rule of a group that fits a path, and reads * in a rule as
# a letter. RFC 9309 (2.2.2, 2.2.3) asks for the longest rule that fits, and for * as any characters. So a page that a
# valid robots.txt allows is reported as forbidden, and one that it forbids as allowed. protego does both.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check protego==0.7.0
"$work/venv/bin/python" - <<'PYTHON'
import platform
from urllib.robotparser import RobotFileParser

from protego import Protego

TEXT = """User-agent: *
Disallow: /docs/
Allow: /docs/public/
Disallow: /*.pdf$
"""
standard = RobotFileParser()
standard.parse(TEXT.splitlines())
other = Protego.parse(TEXT)
print("Python", platform.python_version(), "and protego 0.7.0")
for path, allowed in (("/docs/public/a.html", True), ("/files/a.pdf", False), ("/docs/b.html", False)):
    url = f"https://example.org{path}"
    found = standard.can_fetch("Semantik", url), other.can_fetch(url, "Semantik")
    print(f"{path}: RFC 9309 {allowed}, urllib.robotparser {found[0]}, protego {found[1]}")
    assert found[1] is allowed
    assert (found[0] is allowed) == (path == "/docs/b.html"), "the behaviour of urllib.robotparser has changed"
PYTHON
