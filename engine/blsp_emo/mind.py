"""BLSP-Emo as the mind: it hears the person's turns itself and answers what was said and how.

Built by a profile's mind of kind `blsp-emo`. What our ears made of a turn shows on the page; the
model is given the sound, and text only where there is none (typed turns, old ones).
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from weakref import WeakKeyDictionary

import torch

from engine.audio import Audio
from engine.blsp_emo import checkpoint
from engine.blsp_emo.features import MelExtractor
from engine.blsp_emo.generate import stream
from engine.blsp_emo.graphs import open_reading
from engine.blsp_emo.history import History, Spoken, TurnPieces, spoken_turn, text_turn
from engine.blsp_emo.model import BlspEmo
from engine.blsp_emo.needs import Precision
from engine.blsp_emo.prompts import Prompt
from engine.blsp_emo.quantise import quantise
from engine.blsp_emo.reading import Reading
from engine.blsp_emo.sampling import Sampling
from engine.blsp_emo.tokenizer import Tokenizer
from engine.conversation import Stale, Turn, never
from engine.ears.windows import windows
from engine.errors import PartMissing
from engine.llm.prompt import LONGEST_TURN_CHARS
from engine.llm.shaping import ReplyShaper
from engine.vad import SpeechSpan

WINDOW_TOKENS = 2048
"""What it is told and answers, together: 25 spoken exchanges, and 1.1 GB of memory for the published size.
In 4 bits, which is for cards of 8 GB, half of that."""

_MAX_REPLY_TOKENS = 200
"""More than `ReplyShaper` ever lets be said."""

_WINDOWS_HEARD = 4
"""A turn of more than so many encoder windows (of 30 s) is read instead: it leaves no room for others."""

_ATTEMPTS = 3


class BlspEmoMind:
    """A model, its tokenizer, and the utterances it heard. Safe to use from several threads."""

    def __init__(
        self,
        model: BlspEmo,
        tokenizer: Tokenizer,
        extractor: MelExtractor,
        sampling: Sampling,
        *,
        name: str,
        window_tokens: int = WINDOW_TOKENS,
    ) -> None:
        self.name = name
        self.listens_s = _WINDOWS_HEARD * extractor.window_s
        self._model = model
        self._tokenizer = tokenizer
        self._extractor = extractor
        self._sampling = replace(sampling, max_new_tokens=_MAX_REPLY_TOKENS)
        # What was heard once is not encoded again, for as long as its conversation keeps the sound.
        self._heard: WeakKeyDictionary[Audio, tuple[Spoken, ...]] = WeakKeyDictionary()
        self._window_tokens = window_tokens
        self._readings = [open_reading(model, window_tokens)]

    @classmethod
    def load(cls, folder: Path, precision: Precision) -> "BlspEmoMind":
        """A checkpoint, published or converted, on the GPU where there is one.

        Raises `BadInput` when it is damaged, `PartMissing` when the memory does not suffice.
        """
        device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else "cpu"
        try:
            return cls(
                _model(folder, precision, torch.device(device)),
                Tokenizer.load(folder),
                MelExtractor.read(folder),
                Sampling.from_generation_config(folder),
                name=f"BLSP-Emo in {precision}",
                window_tokens=WINDOW_TOKENS // 2 if precision == "int4" else WINDOW_TOKENS,
            )
        except torch.OutOfMemoryError as error:
            raise PartMissing(
                f"BLSP-Emo does not fit into the memory that is free on {device} in {precision}; close other "
                "programs that use it, or choose a smaller precision in a profile of your own."
            ) from error

    def reply(self, conversation: Sequence[Turn], stale: Stale = never) -> Iterator[str]:
        """See `Responder`. A reply of which nothing may be said is written again, differently."""
        prompt = self._prompt(conversation)
        for _ in range(_ATTEMPTS):
            has_said = False
            for piece in self._shaped(prompt, stale):
                has_said = True
                yield piece
            if has_said or stale():
                return
        raise PartMissing("BLSP-Emo found nothing to say to that; try it in other words.")

    def _shaped(self, prompt: Prompt, stale: Stale) -> Iterator[str]:
        shaper = ReplyShaper()
        with self._borrowed_reading() as reading:
            written = stream(self._model, self._tokenizer, prompt, self._sampling, stale, reading)
            with closing(written):
                for text in written:
                    if piece := shaper.feed(text):
                        yield piece
                    if shaper.is_done:
                        return
        if not stale() and (rest := shaper.close()):
            yield rest

    @contextmanager
    def _borrowed_reading(self) -> Iterator[Reading | None]:
        """The memory of earlier answers, used again; None while another answer uses it."""
        try:
            reading = self._readings.pop()
        except IndexError:
            yield None
            return
        try:
            yield reading
        finally:
            self._readings.append(reading)

    @torch.inference_mode()
    def _prompt(self, conversation: Sequence[Turn]) -> Prompt:
        turns = [self._pieces(turn) for turn in conversation]
        history = History.of(self._tokenizer, turns).trimmed(self._window_tokens, _MAX_REPLY_TOKENS)
        return history.prompt(self._model)

    def _pieces(self, turn: Turn) -> TurnPieces:
        if turn.audio:
            heard = self._heard.get(turn.audio) or self._encode(turn.audio)
            self._heard[turn.audio] = heard
            return spoken_turn(self._tokenizer, heard)
        return text_turn(self._tokenizer, turn.role, turn.text[-LONGEST_TURN_CHARS:])

    def _encode(self, audio: Audio) -> tuple[Spoken, ...]:
        whole = [SpeechSpan(0.0, audio.duration_s)]
        return tuple(self._spoken(window) for window in windows(audio, whole, self._extractor.window_s))

    def _spoken(self, window: Audio) -> Spoken:
        mel = self._extractor([window])
        device = self._model.device
        return Spoken(self._model.hear(mel.frames.to(device), mel.lengths.to(device)))


def _model(folder: Path, precision: Precision, device: torch.device) -> BlspEmo:
    lacks_bfloat16 = device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False)
    half = torch.float16 if lacks_bfloat16 else torch.bfloat16
    if precision in ("int8", "int4"):
        return quantise(checkpoint.load(folder, dtype=half), precision, device)
    dtype = torch.float32 if precision == "float32" else half
    return checkpoint.load(folder, device=device, dtype=dtype)
