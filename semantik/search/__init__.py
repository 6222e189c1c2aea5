"""Search: a query becomes hits in four steps: retrieve, fuse, hydrate, arrange.

It knows users' collections, no handlers.
"""
