"""参与部门: who takes part in a scenario, by the matrix or by invitation, and whom to call there."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from core.digests import digest_text
from core.errors import DomainError
from departments import services as departments
from departments.enums import NotificationKind
from departments.models import Department, Officer, User
from ledger import services as ledger
from scenarios.enums import PARTICIPANT_TRANSITIONS, Event, ParticipantState, VersionState
from scenarios.models import MatrixRow, Scenario, ScenarioParticipant
from scenarios.permissions import EDITING_ROLES, require_answering, require_editing


@dataclass(frozen=True)
class Standing:
    """How a department stands with a scenario, as the page of participants shows it."""

    department: Department
    is_named: bool
    participant: ScenarioParticipant | None

    @property
    def state(self) -> ParticipantState:
        if self.is_named or self.participant is None:
            return ParticipantState.NAMED
        return ParticipantState(self.participant.state)

    @property
    def takes_part(self) -> bool:
        return self.state in (ParticipantState.NAMED, ParticipantState.ACCEPTED)

    @property
    def section(self) -> str:
        return self.participant.section if self.participant else ""

    @property
    def contact_name(self) -> str:
        """The contact for this scenario, else the department's own."""
        return (self.participant and self.participant.contact_name) or self.department.contact_name

    @property
    def contact_phone(self) -> str:
        if self.participant and self.participant.contact_name:
            return self.participant.contact_phone
        return self.department.contact_phone


def taking_part(*scenarios: Scenario) -> QuerySet[Department]:
    """Departments the versions in force name, and those that accepted an invitation."""
    named = MatrixRow.objects.filter(
        version__scenario__in=scenarios, version__state=VersionState.PUBLISHED
    ).order_by()
    accepted = ScenarioParticipant.objects.filter(scenario__in=scenarios, state=ParticipantState.ACCEPTED)
    return Department.objects.filter(
        Q(pk__in=named.values("check_department")) | Q(pk__in=accepted.values("department"))
    )


def departments_without_contact(*scenarios: Scenario) -> list[Department]:
    """Departments taking part for which neither a scenario nor the register names a contact; one query."""
    named = ScenarioParticipant.objects.filter(scenario__in=scenarios).exclude(contact_name="")
    lacking = taking_part(*scenarios).filter(contact_name="")
    return list(lacking.exclude(pk__in=named.values("department")))


def standings(scenario: Scenario) -> list[Standing]:
    """Everybody who takes part, was asked to or said no, in the departments' order; three queries."""
    rows = MatrixRow.objects.filter(version__scenario=scenario, version__state=VersionState.PUBLISHED)
    named = set(rows.order_by().values_list("check_department", flat=True).distinct())
    present = {
        participant.department_id: participant
        for participant in scenario.participants.prefetch_related("officers__user")
        if participant.department_id in named or participant.state != ParticipantState.NAMED
    }
    involved = Department.objects.filter(pk__in=named | set(present))
    return [
        Standing(department, department.pk in named, present.get(department.pk)) for department in involved
    ]


@transaction.atomic
def invite(scenario: Scenario, department: Department, *, actor: User) -> ScenarioParticipant:
    """Ask a department to take part; one that declined may be asked again.

    Raises DomainError for one that leads, takes part or was asked already, PermissionDenied unless the
    account edits the scenario.
    """
    scenario = _locked(scenario)
    require_editing(actor, scenario)
    if department.pk == scenario.lead_department_id:
        raise _unfit(f"{department.short_name}是牵头部门，无需邀请。")
    if taking_part(scenario).filter(pk=department.pk).exists():
        raise _unfit(f"{department.short_name}已经参与，无需邀请。")
    participant = scenario.participants.filter(department=department).first()
    if participant and participant.state == ParticipantState.INVITED:
        raise _unfit(f"已邀请{department.short_name}，请等待答复。")
    participant = participant or ScenarioParticipant(scenario=scenario, department=department)
    participant.state = ParticipantState.INVITED
    participant.reason = ""
    participant.invited_at = timezone.now()
    participant.answered_at = participant.answered_by = None
    participant.save()
    _note(scenario, Event.PARTICIPANT_INVITED, department, actor)
    departments.notify(
        department,
        f"{scenario.lead_department.short_name}邀请贵部门参与“{scenario.name}”，请答复并指定业务科室和联系人。",
        subject=scenario.subject,
        roles=EDITING_ROLES,
    )
    return participant


@transaction.atomic
def withdraw(participant: ScenarioParticipant, *, actor: User) -> None:
    """Take an invitation back, accepted or not; joint inspections under way keep the department.

    Raises DomainError for a department the matrix names.
    """
    scenario, participant = _locked_pair(participant)
    require_editing(actor, scenario)
    department = participant.department
    if participant.state == ParticipantState.NAMED:
        raise DomainError(f"{department.short_name}由清单列明，不能取消邀请。")
    was_invited = participant.state != ParticipantState.DECLINED
    participant.delete()
    _note(scenario, Event.PARTICIPANT_WITHDRAWN, department, actor)
    if was_invited:
        departments.notify(
            department,
            f"{scenario.lead_department.short_name}取消了参与“{scenario.name}”的邀请。",
            kind=NotificationKind.NEWS,
        )


@transaction.atomic
def accept(participant: ScenarioParticipant, *, actor: User, contact_name: str, **contact) -> None:
    """The invited department takes part, naming whom to call (fields as `name_contact`)."""
    scenario, participant = _locked_pair(participant)
    require_answering(actor, participant.department)
    _move(participant, ParticipantState.ACCEPTED)
    _answered(participant, actor)
    _note(scenario, Event.PARTICIPANT_ACCEPTED, participant.department, actor)
    name_contact(scenario, participant.department, actor=actor, contact_name=contact_name, **contact)
    _tell_lead(scenario, f"{participant.department.short_name}接受邀请，参与“{scenario.name}”。")


@transaction.atomic
def decline(participant: ScenarioParticipant, *, reason: str, actor: User) -> None:
    """The invited department does not, or no longer, take part, and says why."""
    scenario, participant = _locked_pair(participant)
    require_answering(actor, participant.department)
    if taking_part_by_matrix(scenario, participant.department):
        raise DomainError("贵部门由清单列明，不能谢绝；如有异议请与牵头部门联系。")
    reason = reason.strip()
    if not reason:
        raise DomainError("请填写谢绝的理由。", fields={"reason": "请填写谢绝的理由。"})
    _move(participant, ParticipantState.DECLINED)
    participant.reason = reason
    _answered(participant, actor)
    _note(scenario, Event.PARTICIPANT_DECLINED, participant.department, actor, reason=digest_text(reason))
    _tell_lead(scenario, f"{participant.department.short_name}不参与“{scenario.name}”。")


@transaction.atomic
def name_contact(
    scenario: Scenario,
    department: Department,
    *,
    actor: User,
    contact_name: str,
    contact_phone: str = "",
    section: str = "",
    officers: Iterable[Officer] = (),
) -> ScenarioParticipant:
    """指定参与业务科室和人员: the department says whom to call and whom it means to send.

    The ledger names the fields that changed, never the person. Raises DomainError without a name, for an
    officer of another department, or for a department that takes no part.
    """
    scenario = _locked(scenario)
    require_answering(actor, department)
    if not taking_part(scenario).filter(pk=department.pk).exists():
        raise DomainError(f"{department.short_name}没有参与“{scenario.name}”。")
    given = {
        "section": section.strip(),
        "contact_name": contact_name.strip(),
        "contact_phone": contact_phone.strip(),
    }
    if not given["contact_name"]:
        raise DomainError("请填写联系人。", fields={"contact_name": "请填写联系人。"})
    officers = list(officers)
    if any(officer.department_id != department.pk for officer in officers):
        raise DomainError("拟派执法人员须是本部门的。", fields={"officers": "须是本部门的执法人员"})
    participant, created = ScenarioParticipant.objects.get_or_create(
        scenario=scenario, department=department, defaults={"state": ParticipantState.NAMED}
    )
    changed = [name for name, value in given.items() if getattr(participant, name) != value]
    for name in changed:
        setattr(participant, name, given[name])
    participant.save(update_fields=list(given))
    keys = sorted(officer.pk for officer in officers)
    if keys != sorted(participant.officers.values_list("pk", flat=True)):
        participant.officers.set(officers)
        changed.append("officers")
    if changed or created:
        _note(scenario, Event.CONTACT_NAMED, department, actor, changed=changed, officers=keys)
    return participant


def ask_for_contacts(scenario: Scenario) -> None:
    """Tell the departments taking part that nobody there can be called yet; part of publishing."""
    for department in departments_without_contact(scenario):
        departments.notify(
            department,
            f"“{scenario.name}”的清单列有贵部门，请指定业务科室和联系人。",
            subject=scenario.subject,
            roles=EDITING_ROLES,
        )


def taking_part_by_matrix(scenario: Scenario, department: Department) -> bool:
    """Whether the version in force names the department."""
    return MatrixRow.objects.filter(
        version__scenario=scenario, version__state=VersionState.PUBLISHED, check_department=department
    ).exists()


def _unfit(message: str) -> DomainError:
    return DomainError(message, fields={"department": message})


def _locked(scenario: Scenario) -> Scenario:
    rows = Scenario.objects.select_for_update(of=["self"]).select_related("lead_department")
    return rows.get(pk=scenario.pk)


def _locked_pair(participant: ScenarioParticipant) -> tuple[Scenario, ScenarioParticipant]:
    scenario = _locked(participant.scenario)
    current = scenario.participants.select_related("department").filter(pk=participant.pk).first()
    if current is None:
        raise DomainError("邀请已被取消。")
    return scenario, current


def _move(participant: ScenarioParticipant, to: ParticipantState) -> None:
    if to not in PARTICIPANT_TRANSITIONS[ParticipantState(participant.state)]:
        raise DomainError(f"贵部门{participant.get_state_display()}，不能改为“{to.label}”。")
    participant.state = to


def _answered(participant: ScenarioParticipant, actor: User) -> None:
    participant.answered_at = timezone.now()
    participant.answered_by = actor
    participant.save(update_fields=["state", "reason", "answered_at", "answered_by"])


def _tell_lead(scenario: Scenario, text: str) -> None:
    departments.notify(scenario.lead_department, text, subject=scenario.subject, kind=NotificationKind.NEWS)


def _note(scenario: Scenario, event: Event, department: Department, actor: User, **payload) -> None:
    by = actor.own_department
    ledger.append(
        scenario.subject,
        event,
        {"department": department.code, **payload},
        actor=actor.key,
        department=by.key if by else "",
    )
