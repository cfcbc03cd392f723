"""Verbs of the register, by noun: the institutions, their import, their merging, recusals."""

from institutions.services.codes import check_uscc, doubt_about
from institutions.services.entries import row_digest
from institutions.services.merging import merge
from institutions.services.recusals import end_recusal, recuse
from institutions.services.register import change, load, register, set_operating_state

__all__ = [
    "change",
    "check_uscc",
    "doubt_about",
    "end_recusal",
    "load",
    "merge",
    "recuse",
    "register",
    "row_digest",
    "set_operating_state",
]
