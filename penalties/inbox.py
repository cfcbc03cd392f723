"""The tabs of the list page: which referrals wait for whom."""

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from departments.enums import Role
from departments.models import User
from inspections.enums import ReferralState
from inspections.models import Referral
from penalties.enums import CaseState


@dataclass(frozen=True)
class Tab:
    """A tab: its key in the URL, its words, whose referrals it shows, whether its count is work to do."""

    key: str
    label: str
    condition: Q
    is_work: bool = False
    # Which column is of interest: who sent it, or who handles it.
    counterpart: str = "from_department"


def tabs_of(user: User) -> list[Tab]:
    """The tabs this account has: a receiver's, a reviewer's, a sender's; 全部 for everybody."""
    # One who only reviews does not work off a department's referrals.
    working = user.departments_as(*(role for role in Role if role != Role.LEGAL_REVIEWER))
    reviewing = user.departments_as(Role.LEGAL_REVIEWER)
    tabs = []
    if working:
        received = Q(to_department__in=working)
        tabs += [
            Tab("inbox", "待接收", received & Q(state=ReferralState.SENT), is_work=True),
            Tab("open", "办理中", received & Q(state=ReferralState.TAKEN_UP), is_work=True),
            Tab("done", "已办结", received & Q(state__in=[ReferralState.CLOSED, ReferralState.RETURNED])),
        ]
    if reviewing:
        waiting = Q(to_department__in=reviewing, case__state=CaseState.LEGAL_REVIEW)
        tabs.append(Tab("review", "待法制审核", waiting, is_work=True, counterpart="to_department"))
    if not all(department.is_town for department in working):
        tabs.append(Tab("sent", "我部门移送的", Q(from_department__in=working), counterpart="to_department"))
    return [*tabs, Tab("all", "全部", Q(), counterpart="to_department")]


def counts(user: User, tabs: list[Tab]) -> dict[str, int]:
    """How much work waits under each tab that is work; one query."""
    work = {tab.key: Count("pk", filter=tab.condition) for tab in tabs if tab.is_work}
    return received(user).aggregate(**work) if work else {}


def received(user: User) -> QuerySet[Referral]:
    """Referrals to the account's own departments, whatever their state."""
    return Referral.objects.filter(to_department__in=[d.pk for d in user.departments_as()])


def search(rows: QuerySet[Referral], values: dict, counterpart: str) -> QuerySet[Referral]:
    """Narrow by the filter form's cleaned values."""
    if text := values.get("q", "").strip():
        rows = rows.filter(
            Q(institution__name__icontains=text)
            | Q(case__number__icontains=text)
            | Q(finding__row__penalty_text__icontains=text)
        )
    if department := values.get("department"):
        rows = rows.filter(**{counterpart: department})
    if town := values.get("town"):
        rows = rows.filter(institution__town=town)
    if state := values.get("state"):
        rows = rows.filter(state=state)
    if severity := values.get("severity"):
        rows = rows.filter(finding__severity=severity)
    return rows
