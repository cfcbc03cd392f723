"""Every list page at 100 and at 100,000 rows: the same queries, and how much slower.

Rows are copies of one row each, made through the portal's own services, so that they are what pages expect.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from departments.enums import Role
from departments.models import Notification, Post, User
from departments.services import notify_users
from inspections.models import Rectification, TaskOrigin
from ledger.models import Chain, Entry
from scenarios.models import CheckItem, Delegation, PenaltyItem, ScenarioVersion
from tests.factories.archive import make_case_disclosure
from tests.factories.departments import make_department, make_town, make_user
from tests.factories.penalties import handler_of
from tests.factories.scenarios import delegate_all, make_version

pytestmark = pytest.mark.django_db(transaction=True)

FEW, MANY, TIMES = 100, 100_000, 5
TOWNS = 19
# The copies' ids, far from the examples' own.
ID = "1000000 + n"
INSPECTION = "1000001 + n / 50"
UUID = "lpad(to_hex(n), 32, '0')::uuid"


@dataclass(frozen=True)
class Page:
    label: str
    name: str
    user: User | None
    query: str = ""

    @property
    def url(self) -> str:
        return reverse(self.name) + self.query


def test_lists_of_inspections_and_results(report):
    pages, grow = _results()
    _compare(pages, grow, report)


def test_lists_of_the_library(report):
    version = make_version()
    clerk = make_user(make_department(), Role.HANDLER)
    town = make_town()
    delegate_all(town, version)
    item, penalty, delegation = (
        CheckItem.objects.last(),
        PenaltyItem.objects.last(),
        Delegation.objects.last(),
    )
    draft = ScenarioVersion.objects.create(
        scenario=version.scenario, number=2, title="草稿", created_by=version.created_by
    )
    row = version.rows.last()

    def grow(first: int, last: int) -> None:
        _copy(item, first, last, id=ID, name="'检查事项' || n")
        _copy(penalty, first, last, id=ID, name="'处罚事项' || n")
        _copy(delegation, first, last, penalty_item_id=ID)
        # A draft of a thousand rows each, which is what a position allows for and more than any matrix has.
        if last > FEW:
            _copy(draft, 1, last // 1000, id=ID, number="n + 2")
        _copy(
            row, first, last, version_id=f"CASE WHEN n <= {FEW} THEN {draft.pk} ELSE 1000000 + (n + 999) / 1000 END",
            position="n % 30000", number="n", check_item_id=ID, penalty_item_id=ID, item_id="NULL", penalty_id="NULL",
        )  # fmt: skip

    pages = [
        Page("事项库", "scenarios:item_list", clerk),
        Page("赋权清单（一个镇）", "scenarios:delegation_list", clerk, f"?town={town.code}"),
    ]
    _compare(pages, grow, report)


def test_lists_of_accounts(report):
    admin = make_user(None, Role.SYSTEM_ADMIN)
    post = Post.objects.get(user=make_user(make_department()))

    def grow(first: int, last: int) -> None:
        _copy(post.user, first, last, id=ID, username="'account' || n")
        _copy(post, first, last, user_id=ID)

    _compare([Page("账号与岗位", "departments:accounts", admin)], grow, report)


def _results() -> tuple[list[Page], Callable[[int, int], None]]:
    """One visit with all that can follow from it, and how to make it many."""
    disclosure = make_case_disclosure()
    case = disclosure.penalty_case
    referral = case.referral
    finding = referral.finding
    task, item, institution = finding.task, finding.task_item, finding.institution
    origin = TaskOrigin.objects.get(task=task)
    inspection = origin.joint_inspection
    sent = task.officers.first()
    rectification = Rectification.objects.create(
        finding=finding, department=finding.department, ordered_on=finding.found_on, due_on=finding.found_on
    )
    clerk, overseer = make_user(inspection.lead_department), make_user(None, Role.INSPECTORATE)
    notify_users([clerk], "已生成任务", subject=inspection.subject)
    notification = Notification.objects.get(recipient=clerk)
    chain = Chain.objects.get(subject=institution.subject)
    entry = Entry.objects.filter(chain=chain).first()
    towns = [institution.town.pk, *(make_town(f"第{n}镇").pk for n in range(1, TOWNS))]

    def grow(first: int, last: int) -> None:
        def copy(example: Model, **columns: str) -> None:
            _copy(example, first, last, **columns)

        copy(institution, id=ID, key=UUID, uscc="NULL", temporary_number="'L' || n", name="'第' || n || '养老院'",
             town_id=f"(ARRAY{towns})[n % {TOWNS} + 1]", beds="n % 300")  # fmt: skip
        copy(inspection, id=ID, number="'LHJC-B' || n", created_at="created_at - n * interval '1 minute'")
        for granted in inspection.jointinspectiongroupobjectpermission_set.all():
            copy(granted, content_object_id=ID)
        for participation in inspection.participations.all():
            copy(participation, joint_inspection_id=ID)
        copy(task, id=UUID, institution_id=ID, window_until="window_until + n % 40 - 20",
             submitted_at="submitted_at - n * interval '1 minute'",
             state="CASE n % 4 WHEN 0 THEN 'ASSIGNED' ELSE 'SUBMITTED' END")  # fmt: skip
        copy(origin, task_id=UUID, joint_inspection_id=INSPECTION, institution_id=ID)
        copy(item, id=ID, task_id=UUID)
        copy(sent, task_id=UUID)
        copy(finding, id=UUID, task_id=UUID, task_item_id=ID, institution_id=ID, found_on="found_on - n / 300",
             state="CASE n % 2 WHEN 0 THEN 'RECTIFYING' ELSE 'REFERRED' END")  # fmt: skip
        copy(rectification, finding_id=UUID, due_on="due_on + n % 40 - 20")
        copy(referral, id=ID, finding_id=UUID, institution_id=ID, sent_at="sent_at - n * interval '1 minute'",
             due_on="due_on + n % 40 - 20", state="CASE n % 2 WHEN 0 THEN 'SENT' ELSE 'TAKEN_UP' END")  # fmt: skip
        copy(case, id=ID, referral_id=ID, institution_id=ID, number="'案' || n", filed_on="filed_on - n / 300",
             decided_on="decided_on - n / 300")  # fmt: skip
        # Half of the visits submitted and a quarter of the cases still wait to be published.
        copy(disclosure, task_id=f"CASE n % 4 WHEN 1 THEN {UUID} END",
             penalty_case_id=f"CASE n % 4 WHEN 1 THEN NULL ELSE {ID} END", institution_id=ID,
             published_at="published_at - n * interval '1 minute'", withdrawn_at="published_at",
             withdrawn_reason="'撤回'", state="CASE n % 10 WHEN 0 THEN 'WITHDRAWN' ELSE 'PUBLISHED' END")  # fmt: skip
        copy(chain, id=ID, subject=f"'institution:' || {UUID}")
        copy(entry, chain_id=ID)
        copy(notification, created_at="created_at - n * interval '1 minute'")

    town, officer = handler_of(referral), sent.officer.user
    pages = [
        Page("工作台（牵头部门经办）", "portal:desk", clerk),
        Page("工作台（镇街执法人员）", "portal:desk", town),
        Page("工作台（督查）", "portal:desk", overseer),
        Page("通知", "portal:notifications", clerk),
        Page("机构名录", "institutions:list", clerk),
        Page("联合检查", "inspections:list", clerk),
        Page("检查任务（牵头部门）", "inspections:task_list", clerk),
        Page("检查任务（执法人员本人）", "inspections:task_list", officer),
        Page("问题整改", "inspections:finding_list", clerk),
        Page("移送处罚：待接收", "penalties:list", town, "?tab=inbox"),
        Page("移送处罚：办理中", "penalties:list", town, "?tab=open"),
        Page("移送处罚：已办结", "penalties:list", town, "?tab=done"),
        Page("移送处罚：我部门移送的", "penalties:list", officer, "?tab=sent"),
        Page("移送处罚：全部", "penalties:list", clerk, "?tab=all"),
        Page("结果归集：检查", "archive:search", clerk, "?tab=visits"),
        Page("结果归集：问题", "archive:search", clerk, "?tab=findings"),
        Page("结果归集：处罚", "archive:search", clerk, "?tab=cases"),
        Page("结果归集：检查，按词", "archive:search", clerk, "?tab=visits&q=第99养老院"),
        Page("公示：待公示检查结果", "archive:disclosure_list", clerk, "?tab=visits"),
        Page("公示：待公示处罚决定", "archive:disclosure_list", town, "?tab=cases"),
        Page("公示：已公示", "archive:disclosure_list", town, "?tab=published"),
        Page("公示：已撤回", "archive:disclosure_list", town, "?tab=withdrawn"),
        Page("公示（公众）", "archive:public_list", None),
    ]
    return pages, grow


def _compare(pages: list[Page], grow: Callable[[int, int], None], report: Callable[[str, str], None]) -> None:
    grow(1, FEW)
    few = _measure(pages)
    grow(FEW + 1, MANY)
    many = _measure(pages)
    for page, (queries, before), (queries_then, after) in zip(pages, few, many, strict=True):
        report(
            f"{page.label}，{FEW} → {MANY:,} 行",
            f"查询 {queries:>2} → {queries_then:>2}；毫秒 {before:>4.0f} → {after:>5.0f}，{after / before:>5.1f}×",
        )
    assert [queries for queries, _ in few] == [queries for queries, _ in many]


def _measure(pages: list[Page]) -> list[tuple[int, float]]:
    """Queries and milliseconds (the least, which others' load disturbs least), vacuumed as a running cluster is."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return [_measure_page(page) for page in pages]


def _measure_page(page: Page) -> tuple[int, float]:
    client = Client()
    if page.user:
        client.force_login(page.user, backend="django.contrib.auth.backends.ModelBackend")
    with CaptureQueriesContext(connection) as queries:
        assert client.get(page.url).status_code == 200
    return len(queries), min(_milliseconds(client, page.url) for _ in range(TIMES))


def _milliseconds(client: Client, url: str) -> float:
    start = time.perf_counter()
    client.get(url)
    return (time.perf_counter() - start) * 1000


def _copy(example: Model, first: int, last: int, **columns: str) -> None:
    """Copy a row to n = first … last, but for these columns (SQL over n); an id not named is the database's."""
    meta = example._meta
    names = [f.column for f in meta.local_concrete_fields if not f.primary_key or f.column in columns]
    values = ", ".join(columns.get(name, name) for name in names)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {meta.db_table} ({', '.join(names)}) SELECT {values} FROM {meta.db_table}, "
            f"generate_series({first}, {last}) AS n WHERE {meta.pk.column} = '{example.pk}'"
        )
