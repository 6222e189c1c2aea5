"""Writes what the clients have of docs/openapi.yaml: `make clients`. A tool of this source tree, not of a server."""
