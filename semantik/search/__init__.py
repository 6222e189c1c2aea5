"""Search: a query becomes hits in three steps: retrieve, fuse, hydrate. It knows users' collections, no handlers."""
