"""Connection limits: sockets and scans per user, and watchers per operation, counted over all server processes.

The counts are in the Redis of the progress package, whose client this package uses. Runs on the loop.
"""

from semantik.connection_limits.counter_store import CounterStore
from semantik.connection_limits.limiter import ConnectionLimiter
from semantik.connection_limits.watcher_counts import WatcherCount

__all__ = ["ConnectionLimiter", "CounterStore", "WatcherCount"]
