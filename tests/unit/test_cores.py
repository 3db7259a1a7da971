"""Who computes on how many cores."""

from concurrent.futures import ThreadPoolExecutor

import torch

from engine import cores
from engine.tts import Style
from engine.turn import answer


def test_a_reply_is_written_on_all_cores_but_one_whatever_its_owner_computes_on(monkeypatch):
    monkeypatch.setattr(cores, "count", lambda: 4)
    before = torch.get_num_threads()

    def mind():
        yield f"{torch.get_num_threads()} cores"

    def turn():
        cores.take_one()
        events = list(answer(mind(), lambda *_: iter(()), Style()))
        return torch.get_num_threads(), events[-1].text

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(turn).result() == (1, "3 cores")
    torch.set_num_threads(before)
