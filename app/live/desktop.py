"""`python -m app talk`: hands-free talk with the microphone and loudspeaker of this machine.

Without the echo cancelling that browsers have, the microphone hears the reply: unless `--headphones` says
that it cannot, nothing is heard while Attune speaks.
"""

import argparse
import sys
import threading
from collections import deque
from collections.abc import Callable
from types import ModuleType

import numpy as np

from app.exchange import Exchange
from app.live.loudspeaker import Loudspeaker
from app.live.messages import Close, Outbox, Played, Problem, Sound, Volume
from app.live.messages import Hush as Hushed
from app.live.talk import LiveTalk
from app.live.terminal import Terminal
from app.live.ways import Strategies, strategies
from app.session import Session
from engine import cli
from engine.audio import SPEECH_RATE_HZ
from engine.errors import AttuneError, BadInput
from engine.facade import Engine
from engine.tts import SAMPLE_RATE_HZ
from engine.turn import SpeechPiece

BLOCK_S = 0.02
REPORT_S = 0.1
"""How often the conversation is told what has been played."""

UNPLUGGED = "The sound device is gone; connect it and start again."

NO_PORTAUDIO = (
    "The sound library PortAudio is missing: install it (Debian and Ubuntu: apt-get install libportaudio2; "
    "Fedora: dnf install portaudio), or talk in the browser with `python app.py`."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--headphones", action="store_true", help="listen while Attune speaks, too")
    parser.add_argument("--input", metavar="DEVICE", help="microphone, by number or part of its name")
    parser.add_argument("--output", metavar="DEVICE", help="loudspeaker, likewise")
    parser.add_argument("--devices", action="store_true", help="show the devices and end")


def run(args: argparse.Namespace) -> int:
    sounddevice = load_sounddevice()
    if args.devices:
        cli.show(str(sounddevice.query_devices()))
        return 0
    devices = _device(args.input), _device(args.output)
    check(sounddevice, devices)
    engine = cli.load_engine(args)
    ways = strategies(engine.ends, "", hears_while_speaking=args.headphones)
    cli.tell("Talk whenever you like; Ctrl-C ends it.")
    if not args.headphones:
        cli.tell(
            "While Attune speaks it does not listen; with headphones on, --headphones lets you interrupt."
        )
    talk(engine, ways, sounddevice, devices, Terminal(sys.stdout))
    return 0


def load_sounddevice() -> ModuleType:
    """Raises `AttuneError` with what to install where there is no PortAudio."""
    try:
        import sounddevice
    except OSError as error:
        raise AttuneError(NO_PORTAUDIO) from error
    return sounddevice


def check(sounddevice: ModuleType, devices: tuple[int | str | None, int | str | None]) -> None:
    """Raises `BadInput` with a sentence when a device is missing or refuses our rates."""
    microphone, loudspeaker = devices
    for check_settings, device, rate_hz, name, option in (
        (sounddevice.check_input_settings, microphone, SPEECH_RATE_HZ, "microphone", "--input"),
        (sounddevice.check_output_settings, loudspeaker, SAMPLE_RATE_HZ, "loudspeaker", "--output"),
    ):
        try:
            check_settings(device=device, channels=1, samplerate=rate_hz)
        except (sounddevice.PortAudioError, ValueError) as error:
            raise BadInput(
                f"No usable {name} ({_short(error)}): connect one, or choose with {option}; "
                "--devices lists them."
            ) from error


def talk(
    engine: Engine,
    ways: Strategies,
    sounddevice: ModuleType,
    devices: tuple[int | str | None, int | str | None],
    terminal: Terminal,
    is_over: Callable[[], bool] = lambda: False,
) -> None:
    """Until Ctrl-C, or `is_over()`."""
    loudspeaker, lock = Loudspeaker(), threading.Lock()

    def receive(message: Outbox) -> None:
        match message:
            case Exchange():
                loudspeaker.begin()
            case SpeechPiece(chunk):
                loudspeaker.push(chunk.audio.samples)
            case Volume(is_low):
                loudspeaker.set_low(is_low)
            case Hushed():
                loudspeaker.hush()
        with lock:
            terminal.show(message)

    conversation = LiveTalk(Session(), engine, ways, receive)
    # Drawn by the waiting loop below: the driver's own thread must not wait for a terminal.
    levels = deque([0.0], maxlen=round(REPORT_S / BLOCK_S))
    microphone, output = devices

    def on_sound(block: np.ndarray, _frames: int, _time: object, _status: object) -> None:
        conversation.post(Sound(block[:, 0].copy()))
        levels.append(float(np.sqrt((block**2).mean())))

    def on_need(block: np.ndarray, _frames: int, _time: object, _status: object) -> None:
        loudspeaker.fill(block[:, 0])

    block = round(BLOCK_S * SPEECH_RATE_HZ)
    worker = threading.Thread(target=conversation.run, name="talk", daemon=True)
    worker.start()
    gone = threading.Event()
    try:
        with (
            sounddevice.InputStream(
                SPEECH_RATE_HZ, block, microphone, 1, "float32", callback=on_sound
            ) as listening,
            sounddevice.OutputStream(SAMPLE_RATE_HZ, 0, output, 1, "float32", callback=on_need) as playing,
        ):
            while worker.is_alive() and not is_over():
                # A device that is unplugged raises nothing: it only calls no more.
                if not (listening.active and playing.active):
                    raise AttuneError(UNPLUGGED)
                gone.wait(REPORT_S)
                with lock:
                    terminal.level(max(levels.copy()))
                conversation.post(Played(loudspeaker.played_s, is_over=loudspeaker.is_empty))
    except sounddevice.PortAudioError as error:
        terminal.show(Problem(f"The sound device cannot be used ({_short(error)}); choose another."))
    except AttuneError as error:
        terminal.show(Problem(str(error)))
    except KeyboardInterrupt:
        pass
    finally:
        conversation.post(Close())
        worker.join()
        terminal.end()


def _device(given: str | None) -> int | str | None:
    return int(given) if given and given.isdigit() else given


def _short(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".")
