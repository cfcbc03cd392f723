"""What tests of ticking write again and again."""

from departments.models import Department, User
from inspections.models import JointInspection, Participation, Tick
from inspections.services import ticking
from ledger.models import Entry
from ledger.services import entries_of


def part(inspection: JointInspection, department: Department) -> Participation:
    return inspection.participations.get(department=department)


def own_tick(inspection: JointInspection, department: Department) -> Tick:
    """The department's first item."""
    return inspection.ticks.filter(department=department).order_by("pk").first()


def put(tick: Tick, actor: User, *, ticked: bool = True, note: str = "", rev: int | None = None) -> Tick:
    """Tick as a page that shows the row as it was handed over."""
    return ticking.tick(tick, ticked=ticked, note=note, rev=tick.rev if rev is None else rev, actor=actor)


def last_entry(inspection: JointInspection) -> Entry:
    return entries_of(inspection.subject).last()
