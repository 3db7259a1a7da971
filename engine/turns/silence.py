"""The plainest end of a turn: so much silence, whatever was said."""

from dataclasses import dataclass

from engine.turns import Pause


@dataclass(frozen=True)
class Silence:
    """What every profile can fall back on; cuts into a third of thoughtful pauses at 0.7 s."""

    wait_s: float = 0.7
    name = "silence"

    def needed_silence_s(self, pause: Pause) -> float:
        return self.wait_s
