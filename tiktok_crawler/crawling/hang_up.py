"""A terminal that closes ends a crawl as SIGTERM does, in order."""

from __future__ import annotations

import os
import signal
import threading

STANDARD_STREAMS = range(3)


def end_in_order() -> None:
    """Treat SIGHUP as SIGTERM, unless it is ignored (`nohup`) or the program itself handles it."""
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        terminals = [number for number in STANDARD_STREAMS if os.isatty(number)]
        signal.signal(signal.SIGHUP, lambda *_: _hang_up(terminals))


def _hang_up(terminals: list[int]) -> None:
    # A shell sends it once more, and a second SIGTERM would not wait for answers.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for number in terminals:
        os.dup2(os.open(os.devnull, os.O_RDWR), number)
    signal.raise_signal(signal.SIGTERM)
