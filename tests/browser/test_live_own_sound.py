"""What the person said in a hands-free talk can be played from the opened turn: that turn and no other."""

import io

import numpy as np
import soundfile

from tests.browser.live import RATE_HZ, await_replies, clip, start

FRAME_S = 0.02

COLLECT = """() => {
    window.played = [];
    const { createObjectURL } = URL;
    URL.createObjectURL = (blob) => {
        window.played.push(blob);
        return createObjectURL(blob);
    };
}"""


def own_sound(page, turn: int) -> tuple[np.ndarray, int]:
    """(N,) samples and their rate: what the turn's play button plays."""
    page.locator(".turn.user .chip").nth(turn).click()
    page.locator(".turn.user").nth(turn).locator(".panel .tool").first.click()
    data = page.evaluate("async () => [...new Uint8Array(await window.played.at(-1).arrayBuffer())]")
    page.locator(".turn.user .chip").nth(turn).click()
    return soundfile.read(io.BytesIO(bytes(data)))


def levels(samples: np.ndarray, rate_hz: int) -> np.ndarray:
    """(T,) one for every frame."""
    frame = round(FRAME_S * rate_hz)
    return np.sqrt((samples[: len(samples) // frame * frame].reshape(-1, frame) ** 2).mean(axis=1))


def likeness(heard: np.ndarray, said: np.ndarray) -> float:
    """Correlation of the two courses of loudness where they fit best."""
    places = range(max(1, len(heard) - len(said) + 1))
    return max(np.corrcoef(heard[at : at + len(said)], said[: len(heard) - at])[0, 1] for at in places)


def test_each_turn_is_kept_as_it_was_said(talker, tiny):
    tiny.voice.pace_s = 0.01
    clips = [clip("homesick"), clip("sad")]
    page = talker(1.0, clips[0], 3.5, clips[1])
    start(page)
    await_replies(page, 2)
    page.click('[data-do="talk"]')
    page.evaluate(COLLECT)
    kept = [own_sound(page, turn) for turn in range(2)]
    for (samples, rate_hz), said in zip(kept, clips, strict=True):
        assert rate_hz == 16_000
        assert len(said) / RATE_HZ - 0.2 <= len(samples) / rate_hz <= len(said) / RATE_HZ + 2
    like = np.array([[likeness(levels(*own), levels(said, RATE_HZ)) for said in clips] for own in kept])
    assert like.diagonal().min() > 0.8
    assert like.diagonal().min() > like[[0, 1], [1, 0]].max() + 0.1
