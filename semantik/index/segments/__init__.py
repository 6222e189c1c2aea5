"""Segments: immutable folders of vectors, the manifest that lists them, and their merging."""
