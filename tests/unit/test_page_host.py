"""Loading in the background: what the page sees of it, and what fails."""

import threading

import pytest

from app.page.host import NOT_READY, UNEXPECTED, Choice, Host
from engine.errors import AttuneError, PartMissing
from engine.weights import Progress


def test_progress_is_seen_and_the_engine_is_there_at_the_end():
    may_end, engine = threading.Event(), object()

    def load(choice, on_progress):
        on_progress(Progress("mind", 1, 2, "hub"))
        may_end.wait(5)
        return engine

    host = Host(load)
    with pytest.raises(AttuneError, match=NOT_READY):
        host.in_use()
    thread = host.start(Choice())
    while not host.loading.downloads:
        pass
    assert host.loading.phase == "loading"
    assert host.loading.downloads["mind"].done_bytes == 1
    may_end.set()
    thread.join()
    assert host.loading.phase == "ready"
    assert host.in_use() is engine


def test_a_failed_change_keeps_the_engine_in_use():
    engine = object()

    def load(choice, on_progress):
        if choice.profile == "large":
            raise PartMissing("Too large for this machine.")
        return engine

    host = Host(load)
    host.start(Choice()).join()
    host.start(Choice("large")).join()
    assert (host.loading.phase, host.loading.problem) == ("failed", "Too large for this machine.")
    assert host.in_use() is engine


def test_the_newest_choice_wins():
    slow_may_end = threading.Event()

    def load(choice, on_progress):
        if choice.profile == "slow":
            slow_may_end.wait(5)
        return choice.profile

    host = Host(load)
    slow = host.start(Choice("slow"))
    host.start(Choice("fast")).join()
    slow_may_end.set()
    slow.join()
    assert host.in_use() == "fast"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_defect_is_a_sentence_too():
    def load(choice, on_progress):
        raise RuntimeError("a defect")

    host = Host(load)
    host.start(Choice()).join()
    assert host.loading.problem == UNEXPECTED
