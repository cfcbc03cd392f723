"""Import and export of registers as workbooks. An app subclasses `Register` and mounts `pages.import_patterns`."""

from core.registers.columns import Column, day, decimal, many_of, one_of, text, whole, yes_no
from core.registers.register import Existing, Findings, Register, Row, Values

__all__ = [
    "Column",
    "Existing",
    "Findings",
    "Register",
    "Row",
    "Values",
    "day",
    "decimal",
    "many_of",
    "one_of",
    "text",
    "whole",
    "yes_no",
]
