"""A scenario of one's own, and a new draft of it."""

from django.db import transaction
from django.db.models import Max

from core.errors import DomainError
from departments.models import Department, User
from ledger import services as ledger
from scenarios import permissions
from scenarios.enums import Event
from scenarios.models import Scenario, ScenarioVersion
from scenarios.services.drafting.layouts import layout_by_hand
from scenarios.services.drafting.lines import Line, copy_of, lines_of, write_lines
from scenarios.services.importing.headings import plain

LONGEST_NAME = 128


@transaction.atomic
def create_scenario(*, name: str, lead_department: Department, actor: User) -> ScenarioVersion:
    """A scenario led by one of the actor's departments, with an empty draft to fill by hand.

    Raises DomainError for a name that is taken (saying by whom), PermissionDenied unless 系统管理员, or
    经办 and above in the department that leads.
    """
    permissions.require_leading(actor, lead_department)
    name = plain(name)
    if not name:
        raise _misnamed("请填写主题。")
    if len(name) > LONGEST_NAME:
        raise _misnamed(f"主题最多 {LONGEST_NAME} 个字。")
    taken = Scenario.objects.filter(name=name).select_related("lead_department").first()
    if taken:
        raise _misnamed(f"“{name}”已由{taken.lead_department.short_name}牵头，请另取主题。")
    scenario = Scenario.objects.create(name=name, lead_department=lead_department)
    permissions.grant_editing(scenario, lead_department)
    return _empty_draft(scenario, actor)


@transaction.atomic
def begin_draft(scenario: Scenario, *, actor: User, source: ScenarioVersion | None = None) -> ScenarioVersion:
    """A further draft of a scenario: a copy of one of its versions (`source`), or empty.

    Raises PermissionDenied unless the account edits the scenario.
    """
    scenario = (
        Scenario.objects.select_for_update(of=["self"]).select_related("lead_department").get(pk=scenario.pk)
    )
    permissions.require_editing(actor, scenario)
    if source is None:
        return _empty_draft(scenario, actor)
    if source.scenario_id != scenario.pk:
        raise DomainError("只能从本主题的版本起草。")
    draft = _new_version(scenario, actor, title=source.title, layout=source.layout)
    lines = [
        Line([copy_of(row, row.cells, row.inferred) for row in line.rows], at)
        for at, line in enumerate(lines_of(source))
    ]
    write_lines(draft, lines)
    _note(draft, actor, copied=source.pk)
    return draft


def _empty_draft(scenario: Scenario, actor: User) -> ScenarioVersion:
    title = f"{scenario.name}事项清单"[:200]
    layout = layout_by_hand(title, scenario.name, scenario.lead_department.name)
    draft = _new_version(scenario, actor, title=title, layout=layout)
    _note(draft, actor)
    return draft


def _new_version(scenario: Scenario, actor: User, *, title: str, layout: dict) -> ScenarioVersion:
    last = scenario.versions.aggregate(last=Max("number"))["last"] or 0
    return ScenarioVersion.objects.create(
        scenario=scenario, number=last + 1, title=title, layout=layout, created_by=actor
    )


def _note(draft: ScenarioVersion, actor: User, **payload) -> None:
    ledger.append(
        draft.scenario.subject,
        Event.DRAFTED,
        {"version": draft.pk, "number": draft.number, **payload},
        actor=actor.key,
        department=draft.scenario.lead_department.key,
    )


def _misnamed(message: str) -> DomainError:
    return DomainError(message, fields={"name": message})
