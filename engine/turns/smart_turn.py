"""smart-turn v3.2, an open end-of-turn model by Pipecat: the last 8 s of sound → P(the turn is over).

Asked once in every pause, at 0.22 s of silence: later answers are worse (area under the curve 0.87 at 0.22 s,
0.74 at 0.74 s), since its training data ends with the sentence.
"""

from pathlib import Path

import numpy as np
import onnxruntime
import torch

from engine.ears.mel import log_mel
from engine.turns import Pause

WINDOW_SAMPLES = 8 * 16_000
ASK_AT_S = 0.22

WAITS_S = ((0.95, 0.3), (0.7, 0.6), (0.3, 1.0), (0.0, 1.8))
"""P above … → silence that ends the turn."""


class SmartTurnModel:
    """The network; safe to use from several threads."""

    def __init__(self, model: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def probability(self, samples: np.ndarray) -> float:
        """(N,) at 16 kHz, of which the last 8 s count → P(the turn is over)."""
        window = samples[-WINDOW_SAMPLES:]
        window = (window - window.mean()) / np.sqrt(window.var() + 1e-7)
        padded = np.pad(window, (WINDOW_SAMPLES - len(window), 0)).astype(np.float32)
        features = log_mel(torch.from_numpy(padded))[None].numpy()
        return float(self._session.run(None, {"input_features": features})[0].reshape(-1)[0])


class SmartTurn:
    """One conversation's: it remembers its answer for as long as a pause lasts."""

    name = "smart-turn"

    def __init__(self, model: SmartTurnModel) -> None:
        self._model = model
        self._asked_of, self._answer = -1.0, 0.0

    def needed_silence_s(self, pause: Pause) -> float:
        if pause.silence_s < ASK_AT_S:
            self._asked_of = -1.0
            return WAITS_S[-1][1]
        if pause.speech_s != self._asked_of:
            self._asked_of, self._answer = pause.speech_s, self._model.probability(pause.samples)
        return next(wait_s for above, wait_s in WAITS_S if self._answer >= above)
