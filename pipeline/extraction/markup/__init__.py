"""Turns the markup languages that people write texts in into Markdown, each in a module of its own."""
