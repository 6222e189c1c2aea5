#!/bin/sh
# kreuzberg 4.10.4: the text of one and the same ZIP archive differs from run to run.
#
# The texts of the members are joined in another order in each process, so a digest of the text, or offsets into it,
# hold for one run only. The list of names above them keeps the order of the archive, and so does xberg 1.3.9, the
# successor of kreuzberg, in its text (though not in its list of children).
#
# Seen: 8 runs on an archive with 8 text files gave 8 different texts of the same length.
# Exits with 0 as long as the texts differ.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check kreuzberg==4.10.4
cat > "$folder/try.py" <<'PYTHON'
import subprocess, sys, zipfile

read = "import sys, kreuzberg; sys.stdout.write(kreuzberg.extract_file_sync(sys.argv[1]).content)"
with zipfile.ZipFile(sys.argv[1], "w") as archive:
    for number in range(8):
        archive.writestr(f"note-{number}.txt", f"Note {number} is about a tree.")
texts = [
    subprocess.run([sys.executable, "-c", read, sys.argv[1]], capture_output=True, text=True, check=True).stdout
    for _ in range(8)
]
for text in texts:
    print([line for line in text.splitlines() if line.startswith("===")])
assert {len(text) for text in texts} == {len(texts[0])}, "the texts have different lengths"
assert all(f"Note {number} is about a tree." in texts[0] for number in range(8)), "a member is missing"
assert len(set(texts)) > 1, "the text is the same each time now"
print(f"{len(set(texts))} different texts in {len(texts)} runs")
PYTHON
"$folder/venv/bin/python" "$folder/try.py" "$folder/notes.zip"
