"""`python -m app talk` against sound streams that a test drives."""

import io
import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.exchange import Exchange
from app.live import desktop
from app.live.loudspeaker import LOW_VOLUME, Loudspeaker
from app.live.machine import State
from app.live.messages import Hush, Standing
from app.live.talk import Strategies
from app.live.terminal import Terminal
from engine.conversation import Heard
from engine.errors import AttuneError, BadInput
from engine.tts import Style
from engine.turn import Finished, TextPiece
from engine.turns.interruption import ByLengthAndWords
from engine.turns.silence import Silence
from tests.browser import tiny_engine


class Console(io.StringIO):
    def isatty(self):
        return True


class FakeDevice:
    """Both streams of a sound card whose microphone hears `sound`, in real time but ten times as fast."""

    class PortAudioError(Exception):
        pass

    def __init__(self, sound, rate=10):
        self.sound, self.rate, self.played = sound, rate, []
        self.is_done = threading.Event()

    def InputStream(self, rate_hz, block, device, channels, dtype, callback):
        return _Clocked(lambda: self._record(callback, block), block / rate_hz / self.rate)

    def OutputStream(self, rate_hz, block, device, channels, dtype, callback):
        return _Clocked(lambda: self._play(callback, 480), 480 / rate_hz / self.rate)

    def _record(self, callback, block):
        piece, self.sound = self.sound[:block], self.sound[block:]
        if not len(piece):
            self.is_done.set()
        callback(np.pad(piece, (0, block - len(piece)))[:, None], block, None, None)

    def _play(self, callback, block):
        out = np.zeros((block, 1), dtype=np.float32)
        callback(out, block, None, None)
        self.played.append(out[:, 0].copy())


class _Clocked:
    def __init__(self, step, every_s):
        self._step, self._every_s, self._over = step, every_s, threading.Event()

    active = True

    def __enter__(self):
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _run(self):
        while not self._over.wait(self._every_s):
            self._step()


def said(duration_s, loudness=0.3):
    return np.full(round(duration_s * 16_000), loudness, dtype=np.float32)


def test_two_turns_are_heard_answered_and_shown():
    device = FakeDevice(np.concatenate([said(1.5), said(4, 0), said(1.2), said(4, 0)]))
    screen = Console()
    deadline = time.monotonic() + 60

    def is_over():
        return screen.getvalue().count("Attune:") == 2 or time.monotonic() > deadline

    ways = Strategies(Silence(0.7), ByLengthAndWords(), hears_while_speaking=False)
    desktop.talk(tiny_engine.engine(), ways, device, (None, None), Terminal(screen), is_over)
    shown = screen.getvalue()
    assert shown.count("You (sad") == 2
    assert shown.count("Attune: ") >= 2
    assert "hearing you" in shown
    assert max(np.abs(block).max() for block in device.played) > 0.05


def test_a_reply_is_one_line_which_ends_where_it_was_interrupted():
    screen = Console()
    terminal = Terminal(screen)
    for message in (
        Exchange(Heard("hello")),
        TextPiece("I am here. "),
        Standing(State.SPEAKING),
        Finished("I am here. What is it?", Style()),
        Standing(State.LISTENING),
        Exchange(Heard("stop")),
        TextPiece("I was about to say "),
        Standing(State.SPEAKING),
        Hush("I was about —"),
        Standing(State.HEARING),
        Exchange(Heard("never mind")),
        TextPiece("Not heard."),
        Hush(""),
    ):
        terminal.show(message)
    assert "speaking  I am here." in screen.getvalue()
    lines = [line.rsplit("\x1b[K")[-1] for line in screen.getvalue().splitlines()]
    assert [line for line in lines if line.startswith("Attune")] == [
        "Attune: I am here. What is it?",
        "Attune: I was about —",
    ]


def test_nothing_is_left_at_work_when_the_talk_is_over():
    engine = tiny_engine.engine(pause_s=0.3)
    device = FakeDevice(np.concatenate([said(1.5), said(4, 0)]))
    before = set(threading.enumerate())
    screen = Console()
    ways = Strategies(Silence(0.7), ByLengthAndWords())
    desktop.talk(
        engine, ways, device, (None, None), Terminal(screen), lambda: "thinking" in screen.getvalue()
    )
    assert set(threading.enumerate()) <= before
    assert engine.mind.stopped.is_set()


def test_without_portaudio_a_sentence_says_how_to_get_it(monkeypatch, tmp_path):
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    with pytest.raises(AttuneError, match="libportaudio2"):
        desktop.load_sounddevice()


def test_without_a_device_a_sentence_says_what_to_do():
    def refuse(**_):
        raise FakeDevice.PortAudioError("Error querying device -1")

    broken = SimpleNamespace(
        PortAudioError=FakeDevice.PortAudioError, check_input_settings=refuse, check_output_settings=refuse
    )
    with pytest.raises(BadInput, match="--devices"):
        desktop.check(broken, (None, None))


def test_an_unplugged_microphone_ends_the_talk_with_a_sentence(monkeypatch):
    device, screen = FakeDevice(said(1.0, 0)), Console()
    monkeypatch.setattr(_Clocked, "active", False)
    ways = Strategies(Silence(0.7), ByLengthAndWords())
    desktop.talk(tiny_engine.engine(), ways, device, (None, None), Terminal(screen))
    assert desktop.UNPLUGGED in screen.getvalue()


def test_the_reply_after_an_interrupted_one_is_as_loud_as_ever():
    loudspeaker, block = Loudspeaker(), np.empty(4800, dtype=np.float32)
    loudspeaker.set_low(True)
    loudspeaker.hush()
    loudspeaker.fill(block)
    loudspeaker.begin()
    loudspeaker.push(np.ones(4800, dtype=np.float32))
    loudspeaker.fill(block)
    assert block[-1] == 1.0


@given(st.lists(st.integers(0, 3000), max_size=8), st.lists(st.integers(1, 2000), max_size=8))
def test_everything_pushed_is_played_once_and_in_order(stretches, blocks):
    loudspeaker = Loudspeaker()
    total, played = 0, []
    for size in stretches:
        loudspeaker.push(np.arange(total, total + size, dtype=np.float32) + 1)
        total += size
    for size in [*blocks, total]:
        block = np.empty(size, dtype=np.float32)
        loudspeaker.fill(block)
        played.append(block[block > 0])
    assert np.array_equal(np.concatenate(played), np.arange(total) + 1)
    assert loudspeaker.is_empty == bool(stretches)
    assert loudspeaker.played_s == pytest.approx(total / 24_000)


def test_a_lowered_reply_gets_quiet_without_a_click():
    loudspeaker = Loudspeaker()
    loudspeaker.push(np.ones(24_000, dtype=np.float32))
    loudspeaker.set_low(True)
    block = np.empty(2_400, dtype=np.float32)
    loudspeaker.fill(block)
    assert np.abs(np.diff(block)).max() < 0.002
    assert block[-1] == pytest.approx(LOW_VOLUME)
