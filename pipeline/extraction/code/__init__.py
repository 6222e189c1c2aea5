"""The functions and classes of source code, found without a parser for each language."""
