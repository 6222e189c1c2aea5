"""EPUB books: their package document, and their chapters in order. Runs in the worker processes."""
