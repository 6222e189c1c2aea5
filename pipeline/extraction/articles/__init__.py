"""Journal articles in JATS, and texts in TEI, as HTML for the renderer of pages. Runs in the worker processes."""
