"""`Engine`: hear, reply, speak. All that the page, the command line and the tests use.

`Engine.load` builds the parts that a profile names, on the best rung this machine
has; `notices` says what is missing and how to get it.
"""

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from engine import parts, prepare, profiles, safety
from engine.audio import Audio
from engine.baseline import VoiceBaseline
from engine.calibration import Calibration
from engine.conversation import Heard, Stale, Turn, never
from engine.errors import PartMissing
from engine.gentle import ask_gently
from engine.hearing import Ears, Listened
from engine.live import LiveTurn
from engine.llm import Responder
from engine.llm.prompt import FEELING, felt
from engine.parts import Notice, Site
from engine.ser import Fusion
from engine.sketch import sketch
from engine.tts import AudioChunk, Style, Synthesizer
from engine.tts.choose_style import style_for
from engine.tts.say import say
from engine.turn import Event, Origin, answer
from engine.turns import MakeEnd
from engine.vad import Detector
from engine.weights import OnProgress, Sources, unwatched
from engine.words import WordsEmotion

MINI = Path(__file__).parent.parent / "assets" / "mini"
"""Where the small parts of every profile lie: the classifier of feeling in words, and the fusion."""

HEARD_NOTHING = "I didn't hear anything."
MADE_OUT_NOTHING = "I could hear you, but I couldn't make out the words."
SAID_IN_ANOTHER_LANGUAGE = "(something in another language)"
NO_MIND = "I heard you, but the part of me that answers is missing."


@dataclass(frozen=True)
class Server:
    """An OpenAI-compatible server that takes the place of the profile's mind."""

    url: str
    model: str
    api_key: str | None = None


@dataclass(frozen=True, eq=False)
class Engine:
    """The parts, joined. Safe to use from several threads; holds nothing of any conversation."""

    profile: str
    reason: str
    detector: Detector
    ears: Ears
    words: WordsEmotion
    fusion: Fusion
    mind: Responder | None
    voice: Synthesizer
    ends: Mapping[str, MakeEnd]
    """What may decide that a spoken turn is over, by name; the first is the default."""
    notices: tuple[Notice, ...] = ()

    @classmethod
    def load(
        cls,
        profile: str | None = None,
        *,
        server: Server | None = None,
        chat_model: str | None = None,
        sources: Sources | None = None,
        on_progress: OnProgress = unwatched,
        with_mind: bool = True,
    ) -> "Engine":
        """Build the parts of `profile` (None: environment PROFILE, else what suits this machine).

        `server`, or a `chat_model` by its name on the hub, takes the place of the profile's mind.
        Fetches what is missing, showing `on_progress`. Raises `BadInput` for a profile that does
        not exist and `PartMissing` when there are no ears at all; any other missing part is a notice.
        """
        sources = sources or Sources.from_environment(os.environ)
        choice = profiles.select_profile(
            profile, os.environ, at_hand=partial(prepare.is_at_hand, sources=sources)
        )
        chosen = choice.profile
        required = (part for part, is_last in chosen.parts() if is_last)
        is_first_start = not all(prepare.is_at_hand(part, sources) for part in required)
        site = Site(chosen, sources, on_progress, is_first_start)
        detector, notices = parts.climb("speech detector", chosen.turns.activity, parts.ACTIVITY, site)
        if detector is None:
            raise PartMissing(notices[-1].message)
        # Two rungs may build the same ears, and each tells of it.
        lacks: dict[Notice, None] = {}
        builders = parts.ears_with(detector, lacks.setdefault)
        ears, ears_notices = parts.climb("ears", chosen.ears, builders, site)
        if ears is None:
            raise PartMissing(ears_notices[-1].message)
        mind, mind_notices = _mind(server, chat_model, site) if with_mind else (None, [])
        voice, voice_notices = parts.climb("voice", (*chosen.voice, SILENT), parts.VOICES, site)
        ends, end_notices = parts.offered("end of turn", chosen.turns.end, parts.ENDS, site)
        if not ends:
            raise PartMissing(end_notices[-1].message)
        return cls(
            profile=chosen.name,
            reason=choice.reason,
            detector=detector,
            ears=ears,
            words=WordsEmotion.load(MINI),
            fusion=Fusion.load(MINI / "fusion.json"),
            mind=mind,
            voice=voice,
            ends=ends,
            notices=(*notices, *ears_notices, *lacks, *mind_notices, *voice_notices, *end_notices),
        )

    def hear(
        self,
        audio: Audio,
        baseline: VoiceBaseline = VoiceBaseline(),
        conversation: Sequence[Turn] = (),
        calibration: Calibration = Calibration(),
    ) -> Heard:
        """A spoken turn of any length, with words, feeling, and `timings_ms["ears"]`.

        `baseline` is what is known of the speaker's own voice, see `remember_voice`, and `calibration` what
        their corrections taught; names that were spelled out in the `conversation` are heard better.
        """
        started = time.perf_counter()
        listened = self.ears.listen(audio, baseline, spelled(conversation))
        return self._understand(calibration, listened, audio, started)

    def listen_live(
        self,
        baseline: VoiceBaseline = VoiceBaseline(),
        conversation: Sequence[Turn] = (),
        calibration: Calibration = Calibration(),
    ) -> LiveTurn:
        """A spoken turn to be fed while it is spoken: captions at once, and at its end what `hear` gives."""
        stream = self.ears.stream(baseline, spelled(conversation))
        return LiveTurn(stream, partial(self._understand, calibration))

    def _understand(
        self, calibration: Calibration, listened: Listened, audio: Audio, started: float
    ) -> Heard:
        words = self.words.recognize(listened.text) if listened.text else None
        outline = sketch(audio) if listened.speech_s else None
        is_wanted = self.mind is not None and audio.duration_s <= self.mind.listens_s
        return Heard(
            text=listened.text,
            emotion=self.fusion.fuse(
                listened.voice, words, speech_s=listened.speech_s, calibration=calibration
            ),
            duration_s=audio.duration_s,
            speech_s=listened.speech_s,
            is_foreign=listened.is_foreign,
            timings_ms={"ears": (time.perf_counter() - started) * 1e3},
            audio=audio if is_wanted else None,
            own_voice=listened.own_voice,
            words=listened.words,
            ending=listened.ending,
            sketch=outline,
        )

    def read(self, text: str, calibration: Calibration = Calibration()) -> Heard:
        """A typed turn: feeling from the words alone."""
        emotion = self.fusion.fuse(None, self.words.recognize(text), calibration=calibration)
        return Heard(text, emotion, is_typed=True)

    def reply(self, conversation: Sequence[Turn], heard: Heard, stale: Stale = never) -> Iterator[str]:
        """The answer to `heard` after `conversation`, in pieces.

        Danger and questions about its nature get fixed wording (`engine.safety`), silence is
        answered as silence, and a missing mind says so. Where the words were foreign, only a mind
        that listens for itself can know what was said.
        """
        origin, words = self._without_mind(heard)
        if origin is Origin.MIND:
            turns = [*conversation, user_turn(heard)]
            yield from ask_gently(self.mind.reply(turns, stale), turns)
        else:
            yield words

    def _without_mind(self, heard: Heard) -> tuple[Origin, str]:
        """What the answer is due to; and the answer, where no mind is asked."""
        if heard.is_foreign and heard.audio is None:
            return Origin.FOREIGN, not_english(heard)
        if heard.is_silence:
            return Origin.UNHEARD, MADE_OUT_NOTHING if heard.speech_s else HEARD_NOTHING
        if fixed := safety.check(heard.text):
            return Origin.SAFETY, fixed.text
        return (Origin.MIND, "") if self.mind else (Origin.NOBODY, NO_MIND)

    def speak(
        self, pieces: str | Iterable[str], style: Style = Style(), stale: Stale = never
    ) -> Iterator[AudioChunk]:
        """Text, or pieces of it as they arrive → 24 kHz audio, phrase by phrase."""
        return say([pieces] if isinstance(pieces, str) else pieces, self.voice, style, stale)

    def turn(
        self,
        conversation: Sequence[Turn],
        heard: Heard,
        *,
        stale: Stale = never,
        started: float | None = None,
    ) -> Iterator[Event]:
        """Reply and speech as one stream of events, `Finished` last.

        `started` is the moment (`time.perf_counter`) of the last speech sample; timings count from it.
        """
        pieces = self.reply(conversation, heard, stale)
        origin, _ = self._without_mind(heard)
        style = style_for(heard.emotion)
        return answer(pieces, self.speak, style, origin=origin, stale=stale, started=started)


SILENT = profiles.Part("silent")


def user_turn(heard: Heard) -> Turn:
    """How a heard turn enters the conversation."""
    text = SAID_IN_ANOTHER_LANGUAGE if heard.is_foreign else heard.text
    return Turn("user", text, heard.emotion, heard.audio, heard.is_typed)


def spelled(conversation: Sequence[Turn]) -> list[str]:
    """The messages in which words are spelled as they are, not as the ears made them out."""
    return [turn.text for turn in conversation if turn.role == "assistant" or turn.is_typed]


def not_english(heard: Heard) -> str:
    """The answer to words that were not understood, with the feeling that was."""
    feeling = felt(user_turn(heard))
    sounds = f"You sound {FEELING[feeling]}" if feeling else "I can hear you"
    return f"{sounds}, but I did not understand the words: they do not seem to be English."


def remember(conversation: Sequence[Turn], heard: Heard, reply: str) -> tuple[Turn, ...]:
    """The conversation after a turn; silence and empty replies leave no trace."""
    if heard.is_silence or not reply:
        return tuple(conversation)
    return (*conversation, user_turn(heard), Turn("assistant", reply))


def remember_voice(baseline: VoiceBaseline, heard: Heard) -> VoiceBaseline:
    """What is known of the speaker's voice after a turn; typed turns and silence leave no trace."""
    if heard.is_silence or heard.own_voice is None:
        return baseline
    return baseline.updated(heard.own_voice, heard.sketch and heard.sketch.manner)


def _mind(server: Server | None, chat_model: str | None, site: Site) -> tuple[Responder | None, list[Notice]]:
    if server is None:
        asked = (profiles.Part("transformers", repository=chat_model),) if chat_model else ()
        return parts.climb("mind", (*asked, *site.profile.mind), parts.MINDS, site)
    from engine.llm.server import ServerMind

    return ServerMind(server.url, server.model, api_key=server.api_key), []
