"""Engines for approximate nearest neighbour search: each proposes rows of a large segment, one file a segment."""
