"""A client of the server's REST API and WebSockets, for the commands, the tests and the benchmarks."""

from semantik.client.api import PATIENCE_S, Client
from semantik.client.websocket import Refused

__all__ = ["PATIENCE_S", "Client", "Refused"]
