"""A draft version made by hand: begun empty or from an earlier version, and edited line by line.

A line is what the matrix prints in one row; where it names several departments, it is several
MatrixRows. Cells nobody touched stay as the attachment prints them.
"""

from scenarios.services.drafting.beginning import begin_draft, create_scenario
from scenarios.services.drafting.editing import (
    BODIES_OF_TOWNS,
    Copied,
    add_lines,
    change_line,
    copy_lines,
    move_line,
    remove_line,
)
from scenarios.services.drafting.lines import Line, lines_of

__all__ = [
    "BODIES_OF_TOWNS",
    "Copied",
    "Line",
    "add_lines",
    "begin_draft",
    "change_line",
    "copy_lines",
    "create_scenario",
    "lines_of",
    "move_line",
    "remove_line",
]
