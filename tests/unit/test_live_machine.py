"""Who has the word, in virtual time."""

from hypothesis import given
from hypothesis import strategies as st

from app.live.machine import Action, Manners, State, TurnMachine
from engine.turns import Verdict

FRAME_S = 0.032


class Talk:
    """A machine with a clock: says and is silent for so many seconds, and keeps what it was told to do."""

    def __init__(self, needed_s=0.7, verdict=Verdict.UNCLEAR):
        self.needed_s, self.verdict = needed_s, verdict
        self.machine = TurnMachine(Manners(lambda _: self.needed_s, lambda _: self.verdict))
        self.now_s = 0.0
        self.done = []

    def sound(self, is_speech, duration_s):
        for _ in range(round(duration_s / FRAME_S)):
            self.now_s += FRAME_S
            self.done += self.machine.sound(is_speech, self.now_s)
        return self

    def speech(self, duration_s):
        return self.sound(True, duration_s)

    def silence(self, duration_s):
        return self.sound(False, duration_s)

    def reply_sounds(self):
        self.done += self.machine.reply_sounds()
        return self

    def reply_over(self):
        self.done += self.machine.reply_over(self.now_s)
        return self


def test_a_turn_is_answered_after_the_silence_that_ends_it():
    talk = Talk(needed_s=0.7).speech(2).silence(0.5)
    assert talk.done == [Action.BEGIN, Action.GUESS]
    assert talk.silence(0.3).done == [Action.BEGIN, Action.GUESS, Action.ANSWER]
    assert talk.machine.state is State.THINKING
    assert talk.reply_sounds().reply_over().machine.state is State.LISTENING


def test_a_pause_inside_the_turn_throws_the_guess_away():
    talk = Talk(needed_s=1.2).speech(1).silence(1.0).speech(1)
    assert talk.done == [Action.BEGIN, Action.GUESS, Action.FORGET]
    assert talk.machine.state is State.HEARING


def test_whoever_goes_on_before_the_reply_sounds_goes_on_with_the_same_turn():
    talk = Talk().speech(1).silence(1).speech(0.5)
    assert talk.done[-2:] == [Action.ANSWER, Action.REOPEN]
    assert talk.machine.state is State.HEARING


def test_patience_may_change_while_the_silence_grows():
    talk = Talk(needed_s=3).speech(1).silence(1)
    talk.needed_s = 0.8
    assert talk.silence(FRAME_S).done[-1] is Action.ANSWER


def test_speech_during_the_reply_lowers_it_at_once_and_then_takes_the_word():
    talk = Talk().speech(1).silence(1).reply_sounds().speech(0.3)
    assert talk.done[-1] is Action.DUCK
    talk.verdict = Verdict.SPEECH
    assert talk.speech(0.1).done[-2:] == [Action.YIELD, Action.BEGIN]
    assert talk.machine.state is State.HEARING


def test_a_backchannel_restores_the_reply():
    talk = Talk().speech(1).silence(1).reply_sounds().speech(0.3).silence(0.5)
    assert talk.done[-3:] == [Action.DUCK, Action.RESTORE, Action.DROP]
    assert talk.machine.state is State.SPEAKING


def test_what_is_said_into_the_last_words_of_a_reply_is_a_turn():
    talk = Talk().speech(1).silence(1).reply_sounds().speech(0.3).reply_over()
    assert talk.done[-2:] == [Action.RESTORE, Action.BEGIN]
    assert talk.machine.state is State.HEARING


def test_stop_is_silence_whatever_happened():
    for talk in (
        Talk().speech(1),
        Talk().speech(1).silence(1),
        Talk().speech(1).silence(1).reply_sounds(),
        Talk().speech(1).silence(1).reply_sounds().speech(0.2),
    ):
        assert talk.machine.stop()[0] in (Action.YIELD, Action.DROP)
        assert talk.machine.state is State.LISTENING


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("speech"), st.floats(0.03, 3)),
        st.tuples(st.just("silence"), st.floats(0.03, 3)),
        st.tuples(st.just("patience"), st.floats(0.0, 5)),
        st.tuples(st.just("verdict"), st.sampled_from(list(Verdict))),
        st.tuples(
            st.sampled_from(["reply_sounds", "reply_over", "drop", "stop", "answer_now", "read", "give_up"]),
            st.none(),
        ),
    ),
    max_size=40,
)


@given(STEPS)
def test_whatever_happens_the_order_makes_sense_and_it_listens_again(steps):
    talk = Talk()
    for step, value in steps:
        match step:
            case "speech" | "silence":
                talk.sound(step == "speech", value)
            case "patience":
                talk.needed_s = value
            case "verdict":
                talk.verdict = value
            case "reply_sounds" | "reply_over":
                getattr(talk, step)()
            case _:
                talk.done += getattr(talk.machine, step)()
    talk.needed_s = 1.0
    talk.silence(3).reply_over().silence(3)
    assert talk.machine.state is State.LISTENING
    _makes_sense(talk.done)


def _makes_sense(done):
    """Every action finds what it acts on: nothing is restored that was not lowered, and so on."""
    is_begun = is_guessed = is_low = False
    for action in done:
        match action:
            case Action.BEGIN:
                is_begun = True
            case Action.GUESS:
                assert is_begun
                assert not is_guessed
                is_guessed = True
            case Action.FORGET:
                assert is_guessed
                is_guessed = False
            case Action.ANSWER:
                assert is_begun
                is_guessed = False
            case Action.DROP:
                is_guessed = False
            case Action.DUCK:
                assert not is_low
                is_low = True
            case Action.RESTORE:
                assert is_low
                is_low = False
            case Action.YIELD:
                is_low = False
