"""缺口: what versions lack before every problem found under them has somewhere to go, and who mends it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Q, QuerySet

from departments.enums import Role
from departments.models import Department, User
from scenarios.enums import BasisState, GapKind, PenaltyBodyKind, VersionState
from scenarios.models import (
    CheckItem,
    MatrixRow,
    PenaltyItem,
    PublishedItem,
    PublishedPenalty,
    ScenarioParticipant,
    ScenarioVersion,
)
from scenarios.permissions import DELEGATING_ROLES, EDITING_ROLES, keepers_of
from scenarios.services.delegations import missing_delegations

KIND_OF = {BasisState.REPEALED: GapKind.REPEALED, BasisState.UNVERIFIED: GapKind.UNVERIFIED}
HAS_BODY = Count("pk", filter=~Q(penalty_body=PenaltyBodyKind.NONE))
MENDED = "事项库已改为现行，发布新版本后生效"
# How many names a sentence lists.
NAMED = 2


@dataclass(frozen=True)
class Page:
    """Where a gap is mended: a kind of page and what it shows."""

    kind: str
    key: int | str
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Gap:
    """One thing that is lacking; `by` says in words who mends it, `mine` whether the reader may."""

    kind: GapKind
    subject: str
    detail: str
    by: str
    page: Page
    mine: bool


class Mender:
    """What an account may mend, from its posts."""

    def __init__(self, user: User):
        self.keeps_all = user.holds(Role.SYSTEM_ADMIN)
        self.edits = {department.pk for department in user.departments_as(*EDITING_ROLES)}
        self.delegates = {department.pk for department in user.departments_as(*DELEGATING_ROLES)}
        self.manages = {department.pk for department in user.departments_as(Role.DEPARTMENT_ADMIN)}

    def may(self, own: set[int], departments: Iterable[int]) -> bool:
        return self.keeps_all or not own.isdisjoint(departments)


def find_gaps(versions: Iterable[ScenarioVersion], *, user: User, day: date) -> list[Gap]:
    """Every gap of these versions as `user` sees them, kind by kind, each named once.

    `versions` come with their scenarios and lead departments. At most fourteen queries, whatever the
    number of versions, rows and towns.
    """
    versions = list(versions)
    mender = Mender(user)
    rows = MatrixRow.objects.filter(version__in=versions).order_by()
    found = [
        *_without_body(versions, rows, mender),
        *_doubtful(versions, mender),
        *_delegations(versions, rows, mender, day),
        *_contacts(versions, rows, mender),
    ]
    # An item of the library that several versions name is one gap.
    unique = {(gap.kind, gap.subject, gap.page): gap for gap in found}
    order = list(GapKind)
    return sorted(unique.values(), key=lambda gap: order.index(gap.kind))


def _without_body(
    versions: list[ScenarioVersion], rows: QuerySet[MatrixRow], mender: Mender
) -> Iterator[Gap]:
    """Check items whose every row lists no penalty body, and penalty items that nobody implements."""
    by_pk = {version.pk: version for version in versions}
    checks = rows.implementing().values("version", "check_item__name", "check_department__short_name")
    penalties = rows.exclude(penalty_item=None).values("version", "penalty_item__name")
    for row in checks.annotate(bodies=HAS_BODY).filter(bodies=0).order_by("version", "check_item"):
        detail = f"{row['check_department__short_name']}检查，发现问题后没有可移送的处罚主体"
        yield _in_matrix(GapKind.NO_BODY, row["check_item__name"], detail, by_pk[row["version"]], mender)
    for row in penalties.annotate(bodies=HAS_BODY).filter(bodies=0).order_by("version", "penalty_item"):
        detail = "清单没有写明由哪个部门或镇街实施"
        yield _in_matrix(GapKind.NOBODY, row["penalty_item__name"], detail, by_pk[row["version"]], mender)


def _doubtful(versions: list[ScenarioVersion], mender: Mender) -> Iterator[Gap]:
    """Items of versions that rest on a repealed or an unconfirmed basis: a version's copies, a draft's library."""
    drafts = [version for version in versions if version.state == VersionState.DRAFT]
    frozen = {version.pk: version for version in versions if version.state != VersionState.DRAFT}
    doubtful = ~Q(basis_state=BasisState.CURRENT)
    copies = PublishedItem.objects.filter(doubtful, version__in=frozen)
    for copy in copies.select_related("check_item__department").order_by("pk"):
        item = copy.check_item
        kind = KIND_OF[BasisState(copy.basis_state)]
        if item.basis_state == BasisState.CURRENT:
            yield _in_matrix(kind, copy.name, MENDED, frozen[copy.version_id], mender)
        else:
            yield _check_item(kind, item, copy.grounds, mender)
    items = CheckItem.objects.filter(doubtful, rows__version__in=drafts).distinct()
    for item in items.select_related("department").order_by("pk"):
        yield _check_item(KIND_OF[BasisState(item.basis_state)], item, item.grounds, mender)

    penalties = PublishedPenalty.objects.filter(doubtful, version__in=frozen)
    copies = list(penalties.select_related("penalty_item").order_by("pk"))
    items = PenaltyItem.objects.filter(doubtful, rows__version__in=drafts).distinct()
    drafted = list(items.order_by("pk"))
    keepers = _keepers([*(copy.penalty_item for copy in copies), *drafted])
    for copy in copies:
        item = copy.penalty_item
        kind = KIND_OF[BasisState(copy.basis_state)]
        if item.basis_state == BasisState.CURRENT:
            yield _in_matrix(kind, copy.name, MENDED, frozen[copy.version_id], mender)
        else:
            yield _penalty_item(kind, item, copy.grounds, keepers, mender)
    for item in drafted:
        yield _penalty_item(KIND_OF[BasisState(item.basis_state)], item, item.grounds, keepers, mender)


def _delegations(
    versions: list[ScenarioVersion], rows: QuerySet[MatrixRow], mender: Mender, day: date
) -> Iterator[Gap]:
    """Towns that these rows send findings to without their holding the item on `day`."""
    leads = {version.scenario.lead_department for version in versions}
    by = "、".join(sorted(lead.short_name for lead in leads)) + "负责人"
    mine = mender.may(mender.delegates, {lead.pk for lead in leads})
    for missing in missing_delegations(day, rows):
        named = "、".join(item.name for item in missing.items[:NAMED])
        more = "等" if len(missing.items) > NAMED else ""
        page = Page(
            "delegation",
            missing.town.code,
            (
                ("list", missing.delegation_list),
                ("town", str(missing.town.pk)),
                *(("item", str(item.pk)) for item in missing.items),
            ),
        )
        subject = f"{missing.town.name}：{missing.delegation_list.label}"
        yield Gap(
            GapKind.NO_DELEGATION, subject, f"{len(missing.items)} 项未承接：{named}{more}", by, page, mine
        )


def _contacts(versions: list[ScenarioVersion], rows: QuerySet[MatrixRow], mender: Mender) -> Iterator[Gap]:
    """Departments that check something though neither the scenario nor the register says whom to call."""
    by_pk = {version.pk: version for version in versions}
    named = set(
        ScenarioParticipant.objects.filter(scenario__in={version.scenario_id for version in versions})
        .exclude(contact_name="")
        .values_list("scenario", "department")
    )
    lacking = rows.filter(check_department__contact_name="").order_by("version", "check_department__order")
    pairs = lacking.values_list("version", "check_department", "check_department__order").distinct()
    departments = Department.objects.in_bulk([department for _, department, _ in pairs])
    for pk, key, _ in pairs:
        version, department = by_pk[pk], departments[key]
        if (version.scenario_id, key) in named:
            continue
        page, mine = Page("department", department.code), mender.may(mender.manages, {key})
        if not version.is_draft:
            page = Page("contact", department.code, (("scenario", str(version.scenario_id)),))
            mine = key in mender.edits
        detail = "联合检查无法发送给没有联系人的部门"
        yield Gap(GapKind.NO_CONTACT, department.name, detail, department.short_name, page, mine)


def _in_matrix(kind: GapKind, subject: str, detail: str, version: ScenarioVersion, mender: Mender) -> Gap:
    """A gap that the lead mends in the next version: in the draft itself while it is one."""
    lead = version.scenario.lead_department
    page = Page("version", version.pk) if version.is_draft else Page("scenario", version.scenario_id)
    return Gap(kind, subject, detail, lead.short_name, page, mender.may(mender.edits, {lead.pk}))


def _check_item(kind: GapKind, item: CheckItem, detail: str, mender: Mender) -> Gap:
    department = item.department
    mine = mender.may(mender.edits, {department.pk})
    return Gap(kind, item.name, detail, department.short_name, Page("item", item.pk), mine)


def _penalty_item(
    kind: GapKind, item: PenaltyItem, detail: str, keepers: dict[int, dict[int, str]], mender: Mender
) -> Gap:
    by = keepers.get(item.pk, {})
    return Gap(
        kind,
        item.name,
        detail,
        "、".join(by.values()),
        Page("penalty", item.pk),
        mender.may(mender.edits, by),
    )


def _keepers(items: list[PenaltyItem]) -> dict[int, dict[int, str]]:
    """For each penalty item who writes on it (permissions.keepers_of): department → short name."""
    names = dict(Department.objects.values_list("pk", "short_name"))
    return {item: {pk: names[pk] for pk in sorted(kept)} for item, kept in keepers_of(items).items()}
