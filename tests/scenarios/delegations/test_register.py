import io
from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from openpyxl import load_workbook

from core import jobs
from core.enums import ImportState
from core.models import ImportRun
from core.registers import reading, runs, writing
from departments.enums import Role
from departments.models import User
from ledger.services import entries_of
from scenarios.enums import DelegationAct, Event
from scenarios.models import Delegation
from scenarios.services.delegations import end_delegation, grid
from scenarios.services.delegations.exporting import export
from scenarios.services.delegations.register import DELEGATIONS
from tests.factories.delegations import make_upload
from tests.factories.departments import make_department, make_town, make_user
from tests.factories.matrices import make_admin
from tests.factories.scenarios import Row, delegate_all, make_version

pytestmark = pytest.mark.django_db

FIRE = "消防行政处罚权"
ITEM = "占用疏散通道的处罚"
DOOR = "门窗障碍物的处罚"
WIRING = "电气线路不合规定的处罚"


@pytest.fixture(autouse=True)
def no_broker(monkeypatch):
    monkeypatch.setattr(jobs, "enqueue", lambda job: None)


@pytest.fixture
def version():
    return make_version()


@pytest.fixture
def admin():
    return make_admin()


@pytest.fixture
def town(version):
    return make_town("英林镇")


def in_days(days: int) -> date:
    return timezone.localdate() + timedelta(days=days)


def read(upload: SimpleUploadedFile, actor: User) -> ImportRun:
    run = runs.begin(DELEGATIONS, upload, actor=actor)
    reading.read(runs.newest_job(run).pk, DELEGATIONS)
    run.refresh_from_db()
    return run


def confirm(run: ImportRun, actor: User) -> ImportRun:
    writing.write(runs.confirm(run, DELEGATIONS, actor=actor).pk, DELEGATIONS)
    run.refresh_from_db()
    return run


def errors(run: ImportRun) -> list[tuple[int, dict[str, str]]]:
    faulty = run.rows.filter(verdict="FAULTY").order_by("line")
    return [(row.line, {name: error[1] for name, error in row.errors.items()}) for row in faulty]


def periods() -> list[tuple]:
    current = Delegation.objects.current().order_by("town", "penalty_item__name", "valid_from")
    return list(
        current.values_list(
            "town__name", "penalty_item__name", "delegation_list", "valid_from", "valid_until", "confirmation_number"
        )
    )  # fmt: skip


def test_nothing_is_delegated_before_it_is_confirmed(town, admin):
    run = read(make_upload([["英林镇", ITEM, FIRE, "2024-12-02", None, None]]), admin)
    assert (run.state, run.new, Delegation.objects.count()) == (ImportState.READY, 1, 0)


def test_confirmed_lines_become_delegations(town, admin):
    rows = [
        ["英林镇", ITEM, FIRE, "2024-12-02", None, "晋英政承〔2024〕1号"],
        ["英林镇", WIRING, "消防", date(2024, 12, 2), "2099-12-31", None],
    ]
    run = confirm(read(make_upload(rows), admin), admin)
    assert run.state == ImportState.DONE
    assert periods() == [
        ("英林镇", ITEM, "FIRE", date(2024, 12, 2), None, "晋英政承〔2024〕1号"),
        ("英林镇", WIRING, "FIRE", date(2024, 12, 2), date(2099, 12, 31), ""),
    ]
    assert {delegation.recorded_by for delegation in Delegation.objects.all()} == {admin}


def test_items_the_same_towns_hold_on_the_same_terms_are_one_act(version, town, admin):
    make_town("安海镇")
    rows = [
        [name, item, FIRE, "2024-12-02", None, None] for name in ("英林镇", "安海镇") for item in (ITEM, DOOR)
    ]
    run = confirm(read(make_upload(rows), admin), admin)
    entries = entries_of(version.scenario.subject)
    granted = [entry.payload for entry in entries if entry.kind == Event.DELEGATED]
    assert [(len(payload["towns"]), len(payload["penalty_items"])) for payload in granted] == [(2, 2)]
    assert (entries.last().kind, entries.last().payload) == (
        Event.DELEGATIONS_IMPORTED,
        {"run": str(run.pk), "file": run.file.digest, "new": 4, "changed": 0, "left_out": 0},
    )


def test_what_a_line_gets_wrong_is_said_of_its_cell(version, town, admin):
    rows = [
        ["英林乡", ITEM, FIRE, "2024-12-02", None, None],
        ["英林镇", "乱停车的处罚", FIRE, "2024-12-02", None, None],
        ["英林镇", ITEM, "其他", "2024-12-03", None, None],
        ["英林镇", ITEM, FIRE, "去年", None, None],
        ["英林镇", ITEM, FIRE, "2024-12-02", "2024-12-01", None],
        ["英林镇", DOOR, "行政处罚权", "2024-12-02", None, None],
    ]
    run = read(make_upload(rows), admin)
    assert errors(run) == [
        (3, {"town": "应为英林镇之一"}),
        (4, {"penalty_item": "不在您可以登记赋权的处罚事项中，请与事项清单核对文字"}),
        (5, {"delegation_list": "应为行政处罚权 / 消防行政处罚权之一"}),
        (6, {"valid_from": "应为日期，如 2025-03-01"}),
        (7, {"valid_until": "早于起始日期"}),
        (8, {"delegation_list": "事项清单把这项处罚列入消防行政处罚权"}),
    ]


def test_a_line_that_overlaps_what_is_recorded_is_refused(version, town, admin):
    delegate_all(town, version)
    run = read(make_upload([["英林镇", ITEM, FIRE, "2025-01-01", None, None]]), admin)
    assert errors(run) == [(3, {"valid_from": "与已登记的自 2024-01-01 起的赋权重叠"})]


def test_lines_of_one_file_that_overlap_are_refused(town, admin):
    rows = [
        ["英林镇", ITEM, FIRE, "2024-01-01", "2024-12-31", None],
        ["英林镇", ITEM, FIRE, "2025-01-01", None, None],
        ["英林镇", ITEM, FIRE, "2024-12-31", "2024-12-31", None],
    ]
    assert errors(read(make_upload(rows), admin)) == [(5, {"valid_from": "与第3行的期限重叠"})]


def test_the_same_line_twice_is_refused(town, admin):
    run = read(make_upload([["英林镇", ITEM, FIRE, "2024-01-01", None, None]] * 2), admin)
    assert errors(run) == [(3, {"town": "与第4行重复"}), (4, {"town": "与第3行重复"})]


def test_a_later_last_day_prolongs_and_an_earlier_one_ends(version, town, admin):
    delegate_all(town, version)
    first = Delegation.objects.get(penalty_item__name=ITEM)
    end_delegation(first, valid_until=in_days(10), actor=admin)
    rows = [
        ["英林镇", ITEM, FIRE, "2024-01-01", "长期", None],
        ["英林镇", DOOR, FIRE, "2024-01-01", in_days(20), "2号"],
    ]
    run = read(make_upload(rows), admin)
    assert (run.changed, run.faulty) == (2, 0)
    confirm(run, admin)
    acts = Delegation.objects.exclude(act=DelegationAct.GRANTED).order_by("pk").values_list("act", flat=True)
    assert list(acts) == ["ENDED", "PROLONGED", "ENDED", "CONFIRMED"]
    assert [(name, until, number) for _, name, _, _, until, number in periods() if name in (ITEM, DOOR)] == [
        (ITEM, None, ""),
        (DOOR, in_days(20), "2号"),
    ]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ([in_days(-1), None], {"valid_until": "终止日期不能早于今天"}),
        (["长期", None, "行政处罚权"], {"delegation_list": "与已登记的清单不同，请在这项赋权的页面上更正"}),
    ],
)
def test_what_only_a_correction_may_change_is_refused(version, town, admin, line, error):
    delegate_all(town, version)
    last, number, listing = [*line, FIRE][:3]
    run = read(make_upload([["英林镇", ITEM, listing, "2024-01-01", last, number]]), admin)
    assert errors(run) == [(3, error)]


def test_what_ran_out_is_not_prolonged_by_a_line(version, town, admin):
    Delegation.objects.create(
        town=town,
        penalty_item=version.rows.get(penalty_text=ITEM).penalty_item,
        delegation_list="FIRE",
        valid_from=date(2023, 1, 1),
        valid_until=date(2023, 12, 31),
        recorded_by=admin,
    )
    run = read(make_upload([["英林镇", ITEM, FIRE, "2023-01-01", "长期", None]]), admin)
    assert errors(run) == [(3, {"valid_until": "已于 2023-12-31 终止，请另行登记或在这项赋权的页面上更正"})]


@pytest.mark.parametrize("last", ["长期", "9999-12-31", "9999/12/31", date(9999, 12, 31), 99991231])
def test_the_end_of_the_calendar_means_no_last_day(town, admin, last):
    confirm(read(make_upload([["英林镇", ITEM, FIRE, "2024-12-02", last, None]]), admin), admin)
    assert periods() == [("英林镇", ITEM, "FIRE", date(2024, 12, 2), None, "")]


def test_a_last_day_out_of_range_is_refused(town, admin):
    run = read(make_upload([["英林镇", ITEM, FIRE, "2024-12-02", "2999-12-31", None]]), admin)
    assert errors(run) == [(3, {"valid_until": "日期应在 1900-01-01 至 2100-12-31 之间"})]


def test_a_blank_last_day_leaves_a_known_one_as_it_is(version, town, admin):
    delegate_all(town, version)
    end_delegation(Delegation.objects.get(penalty_item__name=ITEM), valid_until=in_days(10), actor=admin)
    run = read(make_upload([["英林镇", ITEM, FIRE, "2024-01-01", None, None]]), admin)
    assert (run.unchanged, run.faulty) == (1, 0)


def test_a_faulty_line_keeps_all_others_out(town, admin):
    rows = [
        ["英林镇", ITEM, FIRE, "2024-12-02", None, None],
        ["英林乡", DOOR, FIRE, "2024-12-02", None, None],
    ]
    run = read(make_upload(rows), admin)
    with pytest.raises(Exception, match="没有导入任何一行"):
        runs.confirm(run, DELEGATIONS, actor=admin)


def test_the_export_comes_back_unchanged(version, town, admin):
    delegate_all(town, version)
    delegate_all(make_town("安海镇"), version)
    end_delegation(Delegation.objects.filter(town=town).first(), valid_until=in_days(30), actor=admin)
    book = export(grid(in_days(0)))
    run = read(SimpleUploadedFile("导出.xlsx", book), admin)
    assert (run.state, run.unchanged, run.new, run.changed, run.faulty) == (ImportState.READY, 6, 0, 0, 0)


def test_the_grid_is_a_sheet_of_its_own(version, town, admin):
    delegate_all(town, version)
    book = load_workbook(io.BytesIO(export(grid(in_days(0)))))
    assert book.sheetnames == ["赋权清单", f"镇街×事项 {in_days(0)}"]


def test_a_lead_imports_only_what_its_own_matrices_name(version, town):
    other = make_version([Row("消防检查", "xiaofang", "乱堆杂物的处罚", "FIRE")])
    other.scenario.lead_department = make_department("renshe")
    other.scenario.save()
    head = make_user(make_department("minzheng"), Role.HEAD)
    rows = [[town.name, item, FIRE, "2024-12-02", None, None] for item in (ITEM, "乱堆杂物的处罚")]
    assert [line for line, _ in errors(read(make_upload(rows), head))] == [4]


def test_who_leads_nothing_imports_nothing(version):
    with pytest.raises(PermissionDenied, match="赋权由系统管理员或牵头部门"):
        runs.begin(DELEGATIONS, make_upload([]), actor=make_user(make_department("xiaofang"), Role.HEAD))


@pytest.mark.parametrize("lines", [1, 3])
def test_matching_asks_one_query(version, town, lines, django_assert_num_queries):
    delegate_all(town, version)
    rows = [{"town": town.pk, "penalty_item": pk, "valid_from": "2024-01-01"} for pk in range(lines)]
    with django_assert_num_queries(1):
        DELEGATIONS.match(rows)
