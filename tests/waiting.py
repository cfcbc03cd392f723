"""Waiting for what another process does, on a condition instead of on the clock."""

import threading
import time
from collections.abc import Callable


def wait_until(condition: Callable[[], bool], *, seconds: float = 30, every: float = 0.05) -> None:
    """Return once `condition()` holds; fail the test when it does not within `seconds`."""
    pause = threading.Event()
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"{condition.__name__} 在 {seconds} 秒内没有成立"
        pause.wait(every)
