"""`python app.py` as it is, with the tiny engine in it, every log line on, and parts that break on demand.

Started by `test_canary` as a process of its own: `canary_server.py LEAK FLAGS…`. LEAK is how it gives away
what it hears, to show that this would be found: "log", "file", "careless" (errors are reported as Python
does), or "none".
"""

import logging
import runpy
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from app import defects  # noqa: E402 - the folder of the program comes first
from app.page import command  # noqa: E402
from engine.conversation import Stale, Turn, never  # noqa: E402
from engine.tts import AudioChunk, Style  # noqa: E402
from tests.browser import tiny_engine  # noqa: E402

SPOKEN = "a copper otter waits by the gate"
"""What its ears hear in any sound."""

BREAK_MIND, BREAK_VOICE = "topple", "croak"


class Mind(tiny_engine.Mind):
    leak: str = "none"

    def reply(self, conversation: Sequence[Turn], stale: Stale = never) -> Iterator[str]:
        said = conversation[-1].text
        if self.leak == "log":
            logging.getLogger("engine.mind").warning("answering %s", said)
        if self.leak == "file":
            with tempfile.NamedTemporaryFile("w", delete=False) as file:
                file.write(said)
        if BREAK_MIND in said:
            raise RuntimeError(f"the mind fell over {said}")
        yield from super().reply(conversation, stale)


class Voice(tiny_engine.Voice):
    def speak(self, text: str, style: Style = Style(), stale: Stale = never) -> Iterator[AudioChunk]:
        if BREAK_VOICE in text:
            raise ValueError(f"no voice for {text}")
        return super().speak(text, style, stale)


def main() -> None:
    leak, *flags = sys.argv[1:]
    engine = replace(tiny_engine.engine(), mind=Mind(), voice=Voice())
    engine.ears.says, engine.mind.leak = SPOKEN, leak
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
    command.loader = lambda sources: lambda choice, on_progress: engine
    if leak == "careless":
        defects.install = lambda: None
    sys.argv = ["app.py", *flags]
    runpy.run_path(str(ROOT / "app.py"), run_name="__main__")


if __name__ == "__main__":
    main()
