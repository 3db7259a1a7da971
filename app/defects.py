"""Defects in the terminal: where one happened, never what its message says, since that may quote the person.

`install` is called once by every command of `app`, before anybody can say anything. It changes how this
process reports errors, whoever reports them: our own log lines, uvicorn, asyncio, threads, and Gradio, which
prints tracebacks itself.
"""

import logging
import sys
import threading
import traceback
from typing import Any

_OURS = ("app", "engine")
"""Their log lines are fixed sentences; those of libraries may hold what they were given."""

_CARRIERS = ("openai", "uvicorn", "websockets")
"""Below a warning they log what they carry."""


def install() -> None:
    """From now on no report of this process holds what an error says."""
    make, hook, unraisable = logging.getLogRecordFactory(), sys.excepthook, sys.unraisablehook

    def record(*args: Any, **kwargs: Any) -> logging.LogRecord:
        return _discreet(make(*args, **kwargs))

    def uncaught(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        # Ctrl-C and the like say nothing.
        _tell(error) if isinstance(error, Exception) else hook(kind, error, trace)

    def ignored(args: Any) -> None:
        _tell(args.exc_value) if isinstance(args.exc_value, Exception) else unraisable(args)

    def print_exc(*_: Any, **__: Any) -> None:
        if (error := sys.exc_info()[1]) is not None:
            _tell(error)

    logging.setLogRecordFactory(record)
    sys.excepthook, sys.unraisablehook = uncaught, ignored
    threading.excepthook = lambda args: _tell(args.exc_value)
    traceback.print_exc = print_exc


def where(error: BaseException) -> str:
    """The type and the stack of an error and of those that led to it, the latest first."""
    pending, told = [error], []
    seen: set[int] = set()
    while pending:
        each = pending.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        kind = type(each)
        told.append(
            "".join(traceback.format_tb(each.__traceback__)) + f"{kind.__module__}.{kind.__qualname__}"
        )
        before = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
        pending += [*getattr(each, "exceptions", ()), *([before] if before else [])]
    return "\nwhich came of\n".join(told)


def _discreet(record: logging.LogRecord) -> logging.LogRecord:
    library = record.name.partition(".")[0]
    if error := record.exc_info and record.exc_info[1]:
        # A formatter takes this text for the error's.
        record.exc_text, record.exc_info = where(error), None
        if library not in _OURS:
            record.msg, record.args = f"{record.name} met a defect.", ()
    elif record.levelno < logging.WARNING and library in _CARRIERS:
        record.msg, record.args = f"{record.name} went on.", ()
    return record


def _tell(error: BaseException) -> None:
    sys.stderr.write(f"{where(error)}\n")
