"""What the end-of-turn model learns from: scenes made of sound, strategies in virtual time, and the choice of
waits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.audio import SPEECH_RATE_HZ, Audio
from engine.turns import GUESS_AFTER_S
from engine.turns.silence import Silence
from engine.turns.words import CanEnd
from train.linear_table import TableOptions
from train.marked_texts import parse
from train.splits import Split
from train.turn_taking.can_end import fit_can_end
from train.turn_taking.fit import FitOptions, fit
from train.turn_taking.lessons import IS_END, IS_PAUSE, Take
from train.turn_taking.rehearsal import rehearsed
from train.turn_taking.scenes import LONGEST_WAIT_S, RoomTone, scene
from train.turn_taking.simulate import silences, simulate
from train.turn_taking.waits import Rehearsal, WaitOptions, Waits, choose

SPLIT: Split = "train"
SPEECH_S = 2.0


def speech(rng: np.random.Generator) -> np.ndarray:
    """Two loud seconds in a room that hisses a little."""
    samples = 0.001 * rng.standard_normal(3 * SPEECH_RATE_HZ)
    samples[8000:40_000] += 0.2 * rng.standard_normal(32_000)
    return samples.astype(np.float32)


class Loudness:
    """A detector for which whatever is loud is speech."""

    name, frame_s = "loudness", 0.02

    def probabilities(self, audio: Audio) -> np.ndarray:
        frames = audio.samples[: len(audio.samples) // 320 * 320].reshape(-1, 320)
        return (np.sqrt((frames**2).mean(axis=1)) > 0.03).astype(np.float32)

    def stream(self):
        raise NotImplementedError


def play(pause_s: float, seed: int = 0):
    rng = np.random.default_rng(seed)
    return scene(speech(rng), (0.5, 2.5), 1.5, pause_s, rng)


@pytest.mark.parametrize("pause_s", [0.5, 1.5])
def test_a_pause_is_where_it_was_put_and_as_long(pause_s):
    played = play(pause_s)
    assert played.pause == (1.0, 1.0 + pause_s)
    assert played.end_s == SPEECH_S + pause_s
    assert len(played.samples) == round((played.end_s + LONGEST_WAIT_S) * SPEECH_RATE_HZ)
    heard = list(silences(played.samples, Loudness(), lambda pause, _: pause))
    assert [round(each.start_s, 1) for each in heard] == [1.0, round(played.end_s, 1)]


def test_pause_and_end_sound_alike():
    played = play(1.5)
    inside = played.samples[int(1.2 * SPEECH_RATE_HZ) : int(2.3 * SPEECH_RATE_HZ)]
    after = played.samples[played.end_sample + 4000 :][: len(inside)]
    assert 20 * abs(np.log10(inside.std() / after.std())) < 1.0


def test_room_tone_is_as_loud_as_the_room():
    rng = np.random.default_rng(0)
    tone = RoomTone.of(speech(rng), rng).make(2.0)
    assert len(tone) == 2 * SPEECH_RATE_HZ
    assert 0.0005 < tone.std() < 0.002


@given(st.sampled_from([0.3, 0.6, 1.0, 1.5]), st.floats(0.25, 2.0))
def test_who_waits_less_than_the_pause_cuts_it_short(pause_s, wait_s):
    played = play(pause_s)
    heard = list(silences(played.samples, Loudness(), lambda pause, _: pause))
    outcome = simulate(played, heard, Loudness.frame_s, Silence(wait_s))
    if abs(pause_s - wait_s) > 0.15:
        assert outcome.is_cut == (wait_s < pause_s)
    if not outcome.is_cut:
        assert wait_s - 0.05 <= outcome.wait_s <= wait_s + 0.2


def test_who_never_answers_has_waited_until_all_was_over():
    played = play(0.5)
    heard = list(silences(played.samples, Loudness(), lambda pause, _: pause))
    outcome = simulate(played, heard, Loudness.frame_s, Silence(60.0))
    assert outcome.wait_s == pytest.approx(LONGEST_WAIT_S)


def test_a_recorded_sentence_has_gaps_between_its_words(engine, clip):
    from train.corpus import Clip

    spoken = Clip(clip("question.wav"), "s", "toy", "en", None, None, SPLIT, 0.0)
    lost = Clip(clip("no-such.wav"), "s", "toy", "en", None, None, SPLIT, 0.0)
    [sentence] = rehearsed([spoken, lost], engine.ears)
    assert len(sentence.gaps) >= 2
    assert all(sentence.span[0] < gap < sentence.span[1] for gap in sentence.gaps)


def take(*silences_of: tuple[float, float, float], end_s: float = 2.0) -> tuple[Take, np.ndarray]:
    """(start, how long, log odds) of each silence."""
    start_s, lasts_s, log_odds = np.array(silences_of).T
    kinds = np.where(start_s >= end_s, IS_END, IS_PAUSE)
    return Take(None, np.zeros((len(kinds), 1)), kinds, start_s, lasts_s, end_s), log_odds


def rehearsal(*takes: tuple[Take, np.ndarray]) -> Rehearsal:
    return Rehearsal.of([each for each, _ in takes], [odds for _, odds in takes])


def test_what_waits_do_to_turns():
    told = rehearsal(take((1.0, 0.9, -1.0), (2.0, 5.0, 3.0)), take((2.0, 5.0, -1.0)))
    patient = told.measure(Waits((1.0, -np.inf), (0.3, 1.2)), cut_costs_s=4.0)
    assert (patient.cut, patient.wait_p50_s) == (0.0, pytest.approx(0.75))
    hasty = told.measure(Waits((1.0, -np.inf), (0.3, 0.5)), cut_costs_s=4.0)
    assert (hasty.cut, hasty.cost_s) == (0.5, pytest.approx(0.5 + 2.0))


def test_nothing_is_answered_before_the_ears_have_listened():
    told = rehearsal(take((2.0, 5.0, 3.0)))
    assert told.measure(Waits((-np.inf,), (0.05,)), 4.0).wait_p50_s == pytest.approx(GUESS_AFTER_S)


def test_the_waits_chosen_spare_pauses_that_can_be_told_from_ends():
    rng = np.random.default_rng(0)
    takes = [take((1.0, 0.8, rng.normal(-3)), (2.0, 5.0, rng.normal(3))) for _ in range(100)]
    told = rehearsal(*takes)
    options = WaitOptions(cut_costs_s=4.0, quick_s=(0.3,), middling_s=(0.6,), patient_s=(1.2,))
    measured = told.measure(choose(told, options), options.cut_costs_s)
    assert measured.cut < 0.05
    assert measured.wait_p50_s < 0.4


def test_the_network_learns_and_gives_what_the_model_reads():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((400, 6))
    y = x[:, 2] > 0
    options = FitOptions(1, 8, 30, 64, 0.01, 0.0, 0.1)
    learned = fit(x, y, np.ones(400), options)
    hidden = np.tanh((x - learned["mean"]) / learned["scale"] @ learned["hidden"].T + learned["hidden_bias"])
    assert (((hidden @ learned["out"] + learned["out_bias"]) > 0) == y).mean() > 0.95


def test_words_that_end_sentences_are_learned():
    texts = [parse(text) for text in ("I am so tired.", "I want to go home.", "We go to the home.")] * 40
    tensors = fit_can_end(texts, 4096, TableOptions(1, 8, 32, 0.05, 0.0))
    words = CanEnd(tensors)
    assert words.log_odds("I want to go home") > 0 > words.log_odds("I want to")
