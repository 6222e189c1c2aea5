#!/bin/sh
# pypdfium2 5.15.2 (PDFium 159): a ticked check box counts as not ticked until FORM_OnAfterLoadPage was called.
#
# FPDFAnnot_IsChecked and FPDFAnnot_GetFormFieldExportValue take the form handle and the annotation, like
# FPDFAnnot_GetFormFieldValue, which needs no further call. Without it they return false and an empty string, the
# answers for an empty box: a form is read as if nothing had been ticked.
#
# Seen: "before: (0, ''), after: (1, 'Yes')" for the same annotation.
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pypdfium2==5.15.2 reportlab==5.1.0
cat > "$folder/try.py" <<'PYTHON'
import ctypes
import io
import sys

import pypdfium2
import pypdfium2.raw as raw
from reportlab.pdfgen import canvas

out = io.BytesIO()
page = canvas.Canvas(out)
page.acroForm.checkbox(name="insured", x=100, y=700, checked=True)
page.showPage()
page.save()

document = pypdfium2.PdfDocument(out.getvalue())
document.init_forms()
form = document.formenv.raw
page = raw.FPDF_LoadPage(document.raw, 0)
annotation = raw.FPDFPage_GetAnnot(page, 0)


def state():
    buffer = (ctypes.c_ushort * 50)()
    size = raw.FPDFAnnot_GetFormFieldExportValue(form, annotation, buffer, ctypes.sizeof(buffer))
    return raw.FPDFAnnot_IsChecked(form, annotation), bytes(buffer)[: max(size - 2, 0)].decode("utf-16-le")


before = state()
raw.FORM_OnAfterLoadPage(page, form)
after = state()
print(f"before: {before}, after: {after}")
sys.exit(0 if before == (0, "") and after == (1, "Yes") else 1)
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
