"""One module for each measure: `measure()` yields its results. `STANDARD` are those that run when none is named."""

# What needs 100 000 indexed files, a million chunks or other programs runs when it is named, or with all others.
STANDARD = ("starting", "query", "hybrid", "search", "indexing")
