"""勾选: each department picks among the items it implements until the deadline, and may ask others.

Every verb locks the joint inspection first, so that a tick and the closing never cross: either the
tick is in and closing counts it, or the ticking is closed and the tick is refused.
"""

from inspections.services.ticking.answers import answer, decline, rejoin, use_own_system
from inspections.services.ticking.deadlines import allow_late, close_due, close_ticking, extend_ticking
from inspections.services.ticking.reminders import remind_due
from inspections.services.ticking.requests import refuse_request, request_item
from inspections.services.ticking.ticks import StaleTickError, copy_last, last_round, see, tick, tick_all

__all__ = [
    "StaleTickError",
    "allow_late",
    "answer",
    "close_due",
    "close_ticking",
    "copy_last",
    "decline",
    "extend_ticking",
    "last_round",
    "refuse_request",
    "rejoin",
    "remind_due",
    "request_item",
    "see",
    "tick",
    "tick_all",
    "use_own_system",
]
