"""DocBook 4 and 5 as HTML for the renderer of pages. Runs in the worker processes."""
