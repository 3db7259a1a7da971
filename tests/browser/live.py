"""What the tests of hands-free talk need: a microphone with a scene in it, and an ear at the loudspeaker."""

from pathlib import Path

import numpy as np
import soundfile
from playwright.sync_api import Page

from app.page.routes import EXAMPLES
from engine import audio

RATE_HZ = 48_000
SILENT = 0.01

TAP = """
const code = `registerProcessor("tap", class extends AudioWorkletProcessor {
  rows = [];
  process(inputs) {
    const rms = ([sound]) => sound ? Math.sqrt(sound.reduce((sum, x) => sum + x * x, 0) / sound.length) : 0;
    this.rows.push([currentTime, ...inputs.map(rms)]);
    if (this.rows.length === 8) { this.port.postMessage(this.rows); this.rows = []; }
    return true;
  }
})`;
const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
const { addModule } = AudioWorklet.prototype;
AudioWorklet.prototype.addModule = async function (...given) {
  await addModule.call(this, url);
  return addModule.apply(this, given);
};
const { connect } = AudioNode.prototype;
window.taps = [];
const tapOf = (context) => {
  if (!context.tap) {
    context.tap = new AudioWorkletNode(context, "tap", { numberOfInputs: 2 });
    context.tap.port.onmessage = ({ data }) => window.taps.push(...data);
    connect.call(context.tap, context.destination);
  }
  return context.tap;
};
AudioNode.prototype.connect = function (...given) {
  const isMicrophone = this instanceof MediaStreamAudioSourceNode && given[0] instanceof AudioWorkletNode;
  const isLoudspeaker = this instanceof GainNode && given[0] instanceof AudioDestinationNode;
  if (isMicrophone) connect.call(this, tapOf(this.context), 0, 0);
  if (isLoudspeaker) connect.call(this, tapOf(this.context), 0, 1);
  return connect.apply(this, given);
};
"""
"""Measures microphone and loudspeaker on one clock, every 2.7 ms, beside the page's own graph."""


def clip(name: str) -> np.ndarray:
    """(N,) an example, from its first sound to its last."""
    samples = audio.read(EXAMPLES / f"{name}.ogg", RATE_HZ).samples
    loud = np.flatnonzero(np.abs(samples) > SILENT)
    return samples[loud[0] : loud[-1]]


def short(duration_s: float = 0.3) -> np.ndarray:
    """(N,) a voice that says next to nothing."""
    samples = clip("glad")[: round(duration_s * RATE_HZ)]
    ramp = np.minimum(1.0, np.arange(len(samples)) / (0.02 * RATE_HZ))
    return samples * ramp * ramp[::-1]


def write_scene(path: Path, *parts: np.ndarray | float) -> Path:
    """Clips, and seconds of silence between them."""
    stretches = [
        np.zeros(round(part * RATE_HZ)) if isinstance(part, (int, float)) else part for part in parts
    ]
    soundfile.write(path, np.concatenate(stretches), RATE_HZ, subtype="PCM_16")
    return path


def start(page: Page) -> None:
    page.click('[data-do="talk"]')
    page.wait_for_selector('.attune:is([data-live="free"], [data-live="push"])')


def await_replies(page: Page, count: int) -> None:
    """Answered in full, and spoken."""
    page.locator(".turn.assistant:has(.why-open)").nth(count - 1).wait_for()
    page.wait_for_selector('.attune[data-state="open"]')


def taps(page: Page) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Seconds, level of the microphone, level of the loudspeaker; (N,) each."""
    return tuple(np.array(page.evaluate("window.taps")).T)
