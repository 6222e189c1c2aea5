#!/bin/sh
# tantivy 0.27.0 (Python): a document made by keyword arguments, as in its README, loses all others that are not committed
# when one of its fields is unsigned.
#
# Document(seq=4) without a schema takes 4 for a signed integer. add_document accepts it and returns a number as for any
# other; then the thread that indexes ends, and the commit fails: Expected a U64 for field "seq". The three documents
# added before in the right way are lost with it, and a writer that is busy with many says only "An index writer was
# killed.. A worker thread encountered an error (io::Error most likely) or panicked", at some later add_document.
# Document.from_dict({"seq": 4}, schema) and add_unsigned("seq", 4) work.
# Exits with 0 as long as the others are lost.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tantivy==0.27.0
cat > "$folder/try.py" <<'PYTHON'
import tantivy

builder = tantivy.SchemaBuilder()
builder.add_unsigned_field("seq", indexed=True, fast=True)
schema = builder.build()


def documents_after(last):
    index = tantivy.Index(schema)
    writer = index.writer(15_000_000, 1)
    for seq in range(3):
        document = tantivy.Document()
        document.add_unsigned("seq", seq)
        writer.add_document(document)
    print("accepted as operation", writer.add_document(last))
    error = None
    try:
        writer.commit()
    except ValueError as raised:
        error = str(raised)
    index.reload()
    return index.searcher().num_docs, error


print(documents_after(tantivy.Document.from_dict({"seq": 4}, schema)))
count, error = documents_after(tantivy.Document(seq=4))
print(count, error)
assert count == 0 and error is not None, (count, error)
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
