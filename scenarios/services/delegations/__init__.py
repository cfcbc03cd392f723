"""赋权: which town implements which penalty item, and from when to when."""

from scenarios.services.delegations.changing import (
    alike,
    change_together,
    confirm_delegation,
    correct_delegation,
    end_delegation,
    prolong_delegation,
    withdraw_delegation,
)
from scenarios.services.delegations.gaps import (
    Missing,
    delegations_touched_by,
    ending_delegations,
    missing_delegations,
)
from scenarios.services.delegations.granting import delegate, delegate_to_towns
from scenarios.services.delegations.grids import Grid, grid
from scenarios.services.delegations.lists import bodies_of, delegable, delegable_items

__all__ = [
    "Grid",
    "Missing",
    "alike",
    "bodies_of",
    "change_together",
    "confirm_delegation",
    "correct_delegation",
    "delegable",
    "delegable_items",
    "delegate",
    "delegate_to_towns",
    "delegations_touched_by",
    "end_delegation",
    "ending_delegations",
    "grid",
    "missing_delegations",
    "prolong_delegation",
    "withdraw_delegation",
]
