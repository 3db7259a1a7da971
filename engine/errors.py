"""The errors a person sees: one sentence each, saying what to do next.

Raised anywhere in `engine`, `train` or `app`; caught only where a person is
answered (the command line, the page). Anything else that escapes is a defect.
"""


class AttuneError(Exception):
    """Something failed that the person can act on. The message is shown as it is; exit code 1."""


class BadInput(AttuneError):
    """What the person gave cannot be used: a broken file, a wrong flag. Exit code 2."""


class PartMissing(AttuneError):
    """A part (weights, package, device) is not at hand; the caller may take the next rung of the ladder."""
