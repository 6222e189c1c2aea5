"""HTTP below the handlers: connections are counted and timed, and requests checked before a handler exists."""
