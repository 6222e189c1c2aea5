"""Files that survive crashes: writes that are complete or absent, checksums, mappings, the log of deletions."""
