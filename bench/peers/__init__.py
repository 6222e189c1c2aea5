"""Alternatives to Semantik, used as in their documentation, in their own virtual environment."""
