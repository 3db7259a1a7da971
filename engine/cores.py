"""On how many cores a thread computes: ears on one, a mind on all while it reads and on most while it writes.

Said by every thread in which a conversation computes; threads that say nothing inherit what was said last.
Why: torch keeps a pool of OpenMP workers for every thread that computes on several cores. They spin while
they wait for each other; where they are more than the cores they sleep, and are woken for every operation.
On two cores the mini mind writes a token in 62 ms alone, beside whatever else is running. Two workers need
38 ms on an idle machine, 130 to 280 ms beside a program that keeps one core busy, and 67 to 87 ms when the
ears have workers too. Reading many tokens at once takes half the time with two workers in any case.
"""

from functools import lru_cache


@lru_cache(maxsize=1)
def count() -> int:
    """What torch would take by itself: the physical cores, or `OMP_NUM_THREADS`."""
    # Here and below: whoever only asks for help need not wait for torch.
    import torch

    return torch.get_num_threads()


def take_one() -> None:
    _take(1)


def take_most() -> None:
    """One core is left to everything else."""
    _take(max(1, count() - 1))


def take_all() -> None:
    _take(count())


def _take(cores: int) -> None:
    import torch

    # What torch takes by itself can be asked only before; and a thread inherits when it first asks, which
    # would undo what is said before.
    count()
    torch.get_num_threads()
    torch.set_num_threads(cores)
