"""Vectors in rows and their exact scores, in memory or mapped: NumPy alone, no files."""
