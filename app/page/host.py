"""Loads the engine in the background, so that the page opens at once and can show how far it is.

One engine per process. Changing profile or mind in the settings loads another one
beside it, which takes its place when it is ready.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from engine.errors import AttuneError
from engine.facade import Engine
from engine.weights import OnProgress, Progress


@dataclass(frozen=True)
class Choice:
    """What the person asks for; empty strings mean "what suits this machine"."""

    profile: str = ""
    llm_url: str = ""
    llm_model: str = ""


@dataclass(frozen=True)
class Loading:
    """How far the newest load is. `problem` is a sentence where it failed."""

    phase: Literal["loading", "ready", "failed"] = "loading"
    choice: Choice = Choice()
    downloads: dict[str, Progress] = field(default_factory=dict)
    problem: str = ""


Load = Callable[[Choice, OnProgress], Engine]


class Host:
    """The engine in use, and the one being loaded. `loading` may be read from any thread."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._lock = threading.Lock()
        self.loading = Loading()
        self.engine: Engine | None = None

    def start(self, choice: Choice) -> threading.Thread:
        """Begin to load; the newest call wins."""
        with self._lock:
            self.loading = Loading(choice=choice)
        thread = threading.Thread(target=self._run, args=(choice,), name="load", daemon=True)
        thread.start()
        return thread

    def in_use(self) -> Engine:
        """The engine. Raises `AttuneError` with a sentence while there is none."""
        if self.engine is None:
            raise AttuneError(self.loading.problem or NOT_READY)
        return self.engine

    def _run(self, choice: Choice) -> None:
        def on_progress(progress: Progress) -> None:
            downloads = {**self.loading.downloads, progress.name: progress}
            self._update(choice, Loading("loading", choice, downloads))

        try:
            engine = self._load(choice, on_progress)
        except AttuneError as error:
            self._update(choice, Loading("failed", choice, problem=str(error)))
        except Exception:
            self._update(choice, Loading("failed", choice, problem=UNEXPECTED))
            raise
        else:
            self._update(choice, Loading("ready", choice), engine)

    def _update(self, choice: Choice, loading: Loading, engine: Engine | None = None) -> None:
        with self._lock:
            if choice == self.loading.choice:
                self.loading = loading
                self.engine = engine or self.engine


NOT_READY = "I'm still getting ready; please try again in a moment."
UNEXPECTED = "Attune could not start because of a defect; the terminal shows where. Please report it."
