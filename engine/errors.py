"""The errors a person sees: one sentence each, saying what to do next.

Raised anywhere in `engine`, `train` or `app`; caught only where a person is
answered (the command line, the page). Anything else that escapes is a defect.
"""

import re


class AttuneError(Exception):
    """Something failed that the person can act on. The message is shown as it is; exit code 1."""


class BadInput(AttuneError):
    """What the person gave cannot be used: a broken file, a wrong flag. Exit code 2."""


class PartMissing(AttuneError):
    """A part (weights, package, device) is not at hand; the caller may take the next rung of the ladder."""


def reason(error: Exception | str) -> str:
    """What a library says went wrong, short enough to stand in brackets in a sentence of ours."""
    lines = re.sub(r"\[Errno -?\d+\] ", "", str(error)).strip().splitlines()
    return lines[0][:120].rstrip(". ") if lines else type(error).__name__
