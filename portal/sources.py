"""Where the desk's work comes from: a line of the table for each kind of thing that may wait."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from archive.services import case_due_on, task_due_on
from inspections.enums import FindingState
from penalties.models import DAYS_TO_DECIDE
from portal import work
from portal.enums import Work
from portal.subjects import address
from portal.work import Viewer


@dataclass(frozen=True)
class Source:
    """One kind of work.

    `audience` names the Viewer's field that must not be empty; `order` is the lookup rows are sorted by,
    their deadline unless `is_undated`; `show` gives title, detail and subject key of a row; `late`
    replaces the comparison of `order` with today where the deadline is not a column.
    """

    kind: Work
    audience: str
    rows: Callable[[Viewer], QuerySet]
    show: Callable[[Any], tuple[str, str, str]]
    order: str
    list_page: str = ""
    is_moment: bool = False
    is_undated: bool = False
    late: Callable[[Viewer], Q] | None = None
    due: Callable[[Any], date | None] | None = None

    def concerns(self, viewer: Viewer) -> bool:
        return bool(getattr(viewer, self.audience))

    def due_of(self, row: Any) -> date | datetime | None:
        if self.due is not None:
            return self.due(row)
        if self.is_undated:
            return None
        value = row
        for name in self.order.split("__"):
            value = getattr(value, name)
        return value

    @property
    def url(self) -> str:
        return (address(self.list_page) if self.list_page else "") or ""


SOURCES = (
    Source(
        Work.APPROVAL,
        "head",
        work.approvals,
        lambda row: (row.name, f"{row.launched_by}提请，编号 {row.number}", row.subject),
        order="tick_deadline",
        list_page="inspections:list",
        is_moment=True,
    ),
    Source(
        Work.EMERGENCY,
        "head",
        work.emergencies,
        lambda row: (row.name, f"{row.launched_by}先行实施，编号 {row.number}", row.subject),
        order="approval_due_on",
        list_page="inspections:list",
    ),
    Source(
        Work.LEGAL_REVIEW,
        "lawyer",
        work.legal_reviews,
        lambda row: (row.institution.name, f"{row.department}，案号 {row.number}", row.subject),
        order="filed_on",
        list_page="penalties:list",
        late=lambda viewer: Q(filed_on__lt=viewer.today - timedelta(days=DAYS_TO_DECIDE)),
        due=lambda row: row.due_on,
    ),
    Source(
        Work.VISIT,
        "officer",
        work.visits,
        lambda row: (
            row.institution.name,
            f"{row.institution.town}，{row.get_state_display()}",
            f"task:{row.pk}",
        ),
        order="window_until",
        list_page="inspections:task_list",
    ),
    Source(
        Work.ANSWER,
        "clerk",
        work.answers,
        lambda row: (
            row.joint_inspection.name,
            f"{row.joint_inspection.lead_department}牵头，{row.joint_inspection.get_kind_display()}",
            row.joint_inspection.subject,
        ),
        order="joint_inspection__tick_deadline",
        list_page="inspections:list",
        is_moment=True,
    ),
    Source(
        Work.REQUEST,
        "clerk",
        work.requests,
        lambda row: (
            row.tick.item.name,
            f"{row.department}提请：{row.reason}",
            row.tick.joint_inspection.subject,
        ),
        order="tick__joint_inspection__tick_deadline",
        list_page="inspections:list",
        is_moment=True,
    ),
    Source(
        Work.SECRET,
        "clerk",
        work.secrets,
        lambda row: (row.draw.joint_inspection.name, "逾期未公开的，抽取作废", row.draw.subject),
        order="draw__reveal_by",
        list_page="inspections:list",
        is_moment=True,
    ),
    Source(
        Work.OWN_RESULT,
        "clerk",
        work.own_results_to_confirm,
        lambda row: (row.institution.name, f"{row.department}报备，编号 {row.number}", row.subject),
        order="filed_at",
        list_page="inspections:own_result_list",
        is_undated=True,
    ),
    Source(
        Work.OWN_RETURNED,
        "clerk",
        work.own_results_returned,
        lambda row: (row.institution.name, f"编号 {row.number}，{row.returned_reason}", row.subject),
        order="filed_at",
        list_page="inspections:own_result_list",
        is_undated=True,
    ),
    Source(
        Work.UNCHECKED,
        "clerk",
        work.unchecked,
        lambda row: (row.name, row.town.name, row.subject),
        order="town__code",
        list_page="inspections:coverage",
        is_undated=True,
    ),
    Source(
        Work.DRAFT,
        "edits",
        work.drafts,
        lambda row: (str(row), f"{row.created_by}导入", f"version:{row.pk}"),
        order="created_at",
        list_page="scenarios:list",
        is_undated=True,
    ),
    Source(
        Work.LEADING,
        "clerk",
        work.leading,
        lambda row: (row.name, work.next_step(row), row.subject),
        order="next_due",
        list_page="inspections:list",
    ),
    Source(
        Work.REFERRAL,
        "handler",
        work.referrals,
        lambda row: (
            row.institution.name,
            f"{row.from_department}移送：{row.finding.row.penalty_text or row.finding.row.check_text}",
            f"referral:{row.pk}",
        ),
        order="due_on",
        list_page="penalties:list",
    ),
    Source(
        Work.CASE,
        "handler",
        work.cases,
        lambda row: (row.institution.name, f"案号 {row.number}，{row.get_state_display()}", row.subject),
        order="filed_on",
        list_page="penalties:list",
        late=work.late_cases,
        due=lambda row: row.due_on,
    ),
    Source(
        Work.RECHECK,
        "handler",
        work.rechecks,
        lambda row: (row.finding.institution.name, row.finding.row.check_text, f"finding:{row.finding_id}"),
        order="due_on",
        list_page="inspections:finding_list",
    ),
    Source(
        Work.FINDING,
        "clerk",
        work.findings,
        lambda row: (
            row.institution.name,
            f"{'移送被退回' if row.state == FindingState.RETURNED else '复查未通过'}：{row.row.check_text}",
            f"finding:{row.pk}",
        ),
        order="found_on",
        list_page="inspections:finding_list",
        is_undated=True,
    ),
    Source(
        Work.DISCLOSURE,
        "clerk",
        work.unpublished_visits,
        lambda row: (
            row.institution.name,
            f"检查表单 {timezone.localtime(row.submitted_at):%Y-%m-%d} 提交",
            f"unpublished_task:{row.pk}",
        ),
        order="submitted_at",
        list_page="archive:disclosure_list",
        late=work.late_visits_to_publish,
        due=task_due_on,
    ),
    Source(
        Work.CASE_DISCLOSURE,
        "handler",
        work.unpublished_cases,
        lambda row: (row.institution.name, f"案号 {row.number}", f"unpublished_case:{row.pk}"),
        order="decided_on",
        list_page="archive:disclosure_list",
        late=work.late_cases_to_publish,
        due=case_due_on,
    ),
    Source(
        Work.CERTIFICATE,
        "keeper",
        work.certificates,
        lambda row: (
            row.user.name,
            f"{row.department}，证号 {row.certificate_number}，有效期至 {row.certified_until}",
            row.key,
        ),
        order="certified_until",
        list_page="departments:officers",
        is_undated=True,
    ),
    Source(
        Work.DELEGATION,
        "delegates",
        work.ending_delegations,
        lambda row: (row.name, f"{row.ending_items} 项赋权 {row.ends_on} 到期", f"delegations:{row.code}"),
        order="ends_on",
        list_page="scenarios:delegation_list",
        is_undated=True,
    ),
    Source(
        Work.LATE_VISIT,
        "oversees",
        work.late_visits,
        lambda row: (row.institution.name, row.institution.town.name, f"task:{row.pk}"),
        order="window_until",
        list_page="inspections:task_list",
    ),
    Source(
        Work.LATE_RECTIFICATION,
        "oversees",
        work.late_rectifications,
        lambda row: (row.finding.institution.name, f"{row.department}责令", f"finding:{row.finding_id}"),
        order="due_on",
        list_page="inspections:finding_list",
    ),
    Source(
        Work.LATE_REFERRAL,
        "oversees",
        work.late_referrals,
        lambda row: (
            row.institution.name,
            f"{row.from_department}移送{row.to_department}",
            f"referral:{row.pk}",
        ),
        order="due_on",
        list_page="penalties:list",
    ),
    Source(
        Work.LATE_DISCLOSURE,
        "oversees",
        work.overdue_publications,
        lambda row: (row.institution.name, row.institution.town.name, f"task:{row.pk}"),
        order="submitted_at",
        list_page="archive:disclosure_list",
        late=work.late_visits_to_publish,
        due=task_due_on,
    ),
)
