"""Progress: one Redis stream per operation. The server that runs the operation publishes; any server subscribes.

Publisher -> Redis stream -> StreamReader (one per server) -> Subscription (one per watcher) -> Subscriber (a socket).
The only package that imports redis; it must not know MongoDB, Tornado or the pipeline. Runs on the loop.
"""

from semantik.progress.envelope import envelope, envelope_msgpack
from semantik.progress.message import Message, MessageBatch, parse_stream_id
from semantik.progress.publisher import Publisher
from semantik.progress.redis_client import RedisClient, backoff_delays
from semantik.progress.service import ProgressService
from semantik.progress.subscription import Subscriber, Subscription

__all__ = [
    "Message",
    "MessageBatch",
    "ProgressService",
    "Publisher",
    "RedisClient",
    "Subscriber",
    "Subscription",
    "backoff_delays",
    "envelope",
    "envelope_msgpack",
    "parse_stream_id",
]
