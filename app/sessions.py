"""The conversations of this process, one for each browser tab.

Asked by every request for the `Session` that it names.
"""

import secrets
import threading
from collections import OrderedDict

from app.session import Session
from engine.errors import BadInput

MAX_SESSIONS = 500
"""Conversations kept at once; the one unused for longest is forgotten. About 5 kB a turn."""

GONE = "This conversation is no longer on the server; start a new one, please."


class Sessions:
    """The conversations of this process, found by an identifier that cannot be guessed."""

    def __init__(self, capacity: int = MAX_SESSIONS) -> None:
        self._lock = threading.Lock()
        self._capacity = capacity
        self._kept: OrderedDict[str, Session] = OrderedDict()

    def open(self, identifier: str | None = None) -> tuple[str, Session]:
        """The session of that identifier, or a new one under a new identifier."""
        with self._lock:
            if identifier in self._kept:
                self._kept.move_to_end(identifier)
                return identifier, self._kept[identifier]
            identifier = secrets.token_urlsafe(16)
            self._kept[identifier] = Session()
            while len(self._kept) > self._capacity:
                _, forgotten = self._kept.popitem(last=False)
                forgotten.clear()
            return identifier, self._kept[identifier]

    def find(self, identifier: str) -> Session | None:
        with self._lock:
            if identifier in self._kept:
                self._kept.move_to_end(identifier)
            return self._kept.get(identifier)

    def need(self, identifier: str) -> Session:
        """Raises `BadInput` when it was forgotten, or never was."""
        session = self.find(identifier)
        if session is None:
            raise BadInput(GONE)
        return session
