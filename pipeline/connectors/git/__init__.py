"""Git repositories, through the program `git`."""

from pipeline.connectors.git.kind import GitKind

KIND = GitKind()

__all__ = ["KIND"]
