"""The arithmetic of sound in the page's modules: resampling, and what levels tell."""

import numpy as np
import pytest

from tests.browser.conftest import open_page

RESAMPLE = """async ([from, to, samples, block]) => {
    const { Resampler } = await import(new URL("attune/static/live/resample.js", document.baseURI));
    const resampler = new Resampler(from, to);
    const out = [];
    for (let i = 0; i < samples.length; i += block)
        out.push(...resampler.push(Float32Array.from(samples.slice(i, i + block))));
    return out;
}"""

ONSETS = """async (levels) => {
    const { Onset } = await import(new URL("attune/static/live/onset.js", document.baseURI));
    const onset = new Onset();
    return levels.flatMap((level, frame) => (onset.feed(level) ? [frame] : []));
}"""

MICROPHONE = """async ([levels, isMuted]) => {
    const { Microphone } = await import(new URL("attune/static/live/microphone.js", document.baseURI));
    const track = { enabled: !isMuted };
    const { AudioWorkletNode: Node, MediaStreamAudioSourceNode: Source } = window;
    const node = { port: {} };
    window.AudioWorkletNode = function () { return node; };
    window.MediaStreamAudioSourceNode = function () { return { connect() {} }; };
    const microphone = new Microphone({ getAudioTracks: () => [track] });
    microphone.listen({});
    Object.assign(window, { AudioWorkletNode: Node, MediaStreamAudioSourceNode: Source });
    const told = [];
    for (const name of ["dead", "faint"]) microphone[`on${name}`] = () => told.push(name);
    for (const level of levels) node.port.onmessage({ data: { level } });
    return told;
}"""
SECOND = 50
"""Frames."""


@pytest.fixture(scope="module")
def page(browser, address):
    """One for all: nothing here changes it."""
    page = open_page(browser, address)
    yield page
    page.context.close()


def resample(page, from_hz, to_hz, samples, block=128) -> np.ndarray:
    return np.array(page.evaluate(RESAMPLE, [from_hz, to_hz, samples.tolist(), block]))


def tone(pitch_hz: float, rate_hz: int, duration_s: float = 0.3) -> np.ndarray:
    return np.sin(2 * np.pi * pitch_hz * np.arange(round(rate_hz * duration_s)) / rate_hz)


@pytest.mark.parametrize(
    ("from_hz", "to_hz"), [(48_000, 16_000), (44_100, 16_000), (24_000, 48_000), (24_000, 44_100)]
)
def test_a_tone_stays_what_it_is(page, from_hz, to_hz):
    got = resample(page, from_hz, to_hz, tone(1000, from_hz))
    wanted = tone(1000, to_hz)[: len(got)]
    assert 0 <= 0.3 * to_hz - len(got) < 0.003 * to_hz
    assert np.abs(got - wanted)[200:].max() < 0.002


def test_what_the_lower_rate_cannot_hold_is_gone(page):
    assert np.abs(resample(page, 48_000, 16_000, tone(10_000, 48_000)))[200:].max() < 0.002


def test_the_size_of_the_pieces_makes_no_difference(page):
    noise = np.random.default_rng(0).normal(size=5_000)
    whole = resample(page, 44_100, 16_000, noise, 5_000)
    pieces = resample(page, 44_100, 16_000, noise, 77)
    assert np.allclose(whole, pieces)


def test_an_onset_is_two_loud_frames_after_quiet(page):
    quiet, loud = [-60] * 20, [-20] * 10
    assert page.evaluate(ONSETS, [*quiet, *loud]) == [21]
    assert page.evaluate(ONSETS, [*quiet, -20, *quiet]) == []
    assert page.evaluate(ONSETS, [*quiet, *loud, *[-60] * 3, *loud]) == [21]
    assert page.evaluate(ONSETS, [*quiet, *loud, *quiet, *loud]) == [21, 51]


def test_a_room_that_stays_loud_is_no_onset_for_long(page):
    room = [-42] * 500
    assert len(page.evaluate(ONSETS, [*room, *room, *[-20] * 3])) <= 2


@pytest.mark.parametrize(
    ("levels", "told"),
    [
        ([-120] * 5 * SECOND, []),
        ([-120] * 20 * SECOND, ["dead"]),
        ([-120] * 2 * SECOND + [-70] * 8 * SECOND, []),
        ([-120] * 2 * SECOND + [-70] * 20 * SECOND, ["faint"]),
        ([-70] * 5 * SECOND + [-20] + [-70] * 20 * SECOND, []),
    ],
)
def test_a_microphone_that_gives_nothing_or_next_to_nothing_is_noticed_once(page, levels, told):
    assert page.evaluate(MICROPHONE, [levels, False]) == told
    assert page.evaluate(MICROPHONE, [levels, True]) == []
