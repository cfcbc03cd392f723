import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import connection
from openpyxl import Workbook

from core.digests import digest_bytes, digest_text
from core.errors import DomainError
from core.models import StoredFile
from departments.enums import Role
from departments.models import DepartmentAlias, Sector
from departments.services import add_alias, find_department
from ledger.services import entries_of
from scenarios.enums import DelegationList, Event, PenaltyBodyKind, RowPart, VersionState
from scenarios.models import CheckItem, MatrixRow, PenaltyItem, Scenario, ScenarioVersion
from scenarios.services.importing import DuplicateError, import_workbook
from scenarios.services.importing.problems import BLANK, LEAVE_OUT, NEW, NO_PENALTY, NOBODY, UnresolvedError
from scenarios.services.library import counts
from tests.factories.departments import make_user
from tests.factories.matrices import (
    HEADER,
    JINJIANG,
    THEME,
    make_admin,
    make_bureaus,
    make_workbook,
    printed,
    saved,
)

pytestmark = pytest.mark.django_db

TOWN = "承接行政处罚权的乡镇（街道）"


@pytest.fixture
def bureaus():
    return make_bureaus()


@pytest.fixture
def admin(bureaus):
    return make_admin()


@pytest.fixture
def jinjiang(admin):
    return import_workbook(JINJIANG.read_bytes(), name=JINJIANG.name, actor=admin)


def problems_of(*rows, actor, **how):
    sheet = {name: how.pop(name) for name in ("header", "above", "merges") if name in how}
    with pytest.raises(UnresolvedError) as caught:
        import_workbook(make_workbook(rows, **sheet), name="清单.xlsx", actor=actor, **how)
    return caught.value.problems


def imported(*rows, actor, **how) -> ScenarioVersion:
    sheet = {name: how.pop(name) for name in ("header", "above", "merges") if name in how}
    return import_workbook(make_workbook(rows, **sheet), name="清单.xlsx", actor=actor, **how)


def nothing_was_saved() -> bool:
    kept = (Scenario, ScenarioVersion, MatrixRow, CheckItem, PenaltyItem, StoredFile, Sector)
    return not any(model.objects.exists() for model in kept)


# --- The Jinjiang attachment -----------------------------------------------------------------------------


def test_the_jinjiang_draft_counts_as_the_attachment_does(jinjiang):
    counted = counts(jinjiang)
    assert jinjiang.state == VersionState.DRAFT
    assert (counted.rows, counted.situations, counted.sectors) == (28, 11, 7)
    assert (counted.check_items, counted.penalty_items, counted.departments) == (17, 27, 7)
    assert (CheckItem.objects.count(), PenaltyItem.objects.count()) == (17, 27)


def test_the_jinjiang_penalty_bodies_are_resolved(jinjiang):
    bodies = {row.number: (row.penalty_body, row.delegation_list) for row in jinjiang.rows.all()}
    town = PenaltyBodyKind.DELEGATED_TOWN
    assert [number for number, body in bodies.items() if body == (town, DelegationList.GENERAL)] == [
        "10",
        "11",
        "13",
    ]
    assert [number for number, body in bodies.items() if body == (town, DelegationList.FIRE)] == [
        str(number) for number in range(20, 28)
    ]
    assert jinjiang.rows.get(number="28").penalty_department.code == "xiaofang"


def test_the_jinjiang_sectors_and_departments_are_those_of_their_own_page(jinjiang):
    rows = {row.number: row for row in jinjiang.rows.select_related("sector", "check_department")}
    assert [rows[number].sector.name for number in ("13", "14", "15")] == [
        "住房城乡建设",
        "市场监管",
        "市场监管",
    ]
    assert [rows[number].check_department.code for number in ("13", "14", "15")] == [
        "chengguan", "shichang", "shichang",
    ]  # fmt: skip
    assert {rows[str(number)].check_department.code for number in range(20, 29)} == {"xiaofang"}


def test_the_jinjiang_draft_belongs_to_the_scenario_and_lead_it_names(jinjiang, bureaus):
    assert jinjiang.scenario.name == "养老服务机构基础安全监管一件事"
    assert jinjiang.scenario.lead_department == bureaus["minzheng"]
    assert jinjiang.title == "“养老服务机构监管一件事”场景情形配置"


def test_the_file_is_kept_with_its_digest(jinjiang):
    data = JINJIANG.read_bytes()
    assert jinjiang.source_file.digest == digest_bytes(data)
    with jinjiang.source_file.file.open("rb") as file:
        assert file.read() == data


def test_an_import_is_recorded_on_the_scenarios_chain(jinjiang, admin):
    entry = entries_of(jinjiang.scenario.subject).get()
    assert (entry.kind, entry.actor) == (Event.IMPORTED, admin.key)
    assert entry.payload == {
        "version": jinjiang.pk,
        "number": 1,
        "file": jinjiang.source_file.digest,
        "rows": 28,
        "left_out": [],
        "aliases": {},
    }


def test_importing_asks_a_fixed_number_of_queries_however_many_rows(admin, django_assert_max_num_queries):
    rows = [printed(number=at, check=f"检查{at}", penalty=f"处罚{at}") for at in range(200)]
    with django_assert_max_num_queries(40):
        imported(*rows, actor=admin)


# --- Questions ---------------------------------------------------------------------------------------------


def test_an_unknown_department_is_one_problem_for_all_its_rows(admin):
    (problem,) = problems_of(printed(by="市信访局"), printed(number=2, body="市信访局"), actor=admin)
    assert (problem.sheet, problem.cell, problem.text) == ("清单", "E3", "市信访局")
    assert (problem.reason, problem.by_department, problem.lines) == ("不知道这是哪个部门", True, (3, 4))
    assert nothing_was_saved()


def test_the_refusal_names_sheet_cell_and_reason(admin):
    with pytest.raises(UnresolvedError) as caught:
        imported(printed(by="市信访局"), actor=admin)
    assert caught.value.message == (
        "有 1 处无法确定，未保存任何内容：工作表“清单”单元格 E3“市信访局”：不知道这是哪个部门。"
    )


def test_an_answer_becomes_an_alias_and_is_not_asked_again(admin, bureaus):
    version = imported(
        printed(by="市信访局"), actor=admin, answers={"department:市信访局": "department:xiaofang"}
    )
    assert find_department("市信访局") == bureaus["xiaofang"]
    # The printed words may be anybody's name: both chains know them by their digest.
    learnt = digest_text("市信访局")
    assert entries_of(version.scenario.subject).get().payload["aliases"] == {learnt: "xiaofang"}
    assert entries_of(bureaus["xiaofang"].key).last().payload["digest"] == learnt
    version = imported(printed(by="市信访局", check="别的检查"), actor=admin)
    assert version.rows.get().check_department == bureaus["xiaofang"]


def test_a_line_naming_several_departments_becomes_a_row_of_each(admin, bureaus):
    version = imported(printed(by="民政局、市场监管局", body="民政局、市场监管局"), actor=admin)
    rows = version.rows.select_related("check_department", "penalty_department")
    assert [(row.line, row.check_department.code, row.penalty_department.code) for row in rows] == [
        (0, "minzheng", "minzheng"),
        (0, "shichang", "shichang"),
    ]
    assert counts(version).rows == 1
    assert not DepartmentAlias.objects.filter(alias__contains="、").exists()


def test_departments_of_a_line_keep_their_printed_order_whoever_is_known_already(admin):
    answers = {"department:市信访局": NEW}
    version = imported(printed(by="市信访局、民政局", body=TOWN), actor=admin, answers=answers)
    assert [row.check_department.short_name for row in version.rows.all()] == ["市信访局", "市民政局"]


def test_an_ending_said_once_counts_for_all_departments_of_a_cell(admin, bureaus):
    add_alias(bureaus["minzheng"], "民政部门")
    add_alias(bureaus["shichang"], "市场监管部门")
    version = imported(printed(by="县级以上民政、市场监管部门"), actor=admin)
    assert [row.check_department.code for row in version.rows.all()] == ["minzheng", "shichang"]
    assert {row.check_department_text for row in version.rows.all()} == {"县级以上民政、市场监管部门"}


def test_an_unknown_department_among_several_may_be_none_in_particular(admin, bureaus):
    header = [*HEADER, "配合部门"]
    row = [*printed(), "市场监管局、有关镇街"]
    (problem,) = problems_of(row, header=header, actor=admin)
    assert (problem.cell, problem.text, problem.key) == ("H3", "有关镇街", "department:有关镇街")
    version = imported(row, header=header, actor=admin, answers={problem.key: NOBODY})
    assert [(each.part, each.check_department.code) for each in version.rows.all()] == [
        (RowPart.IMPLEMENTING, "minzheng"),
        (RowPart.PARTNER, "shichang"),
    ]


def test_a_misprinted_department_is_proposed_and_decided_by_a_person(admin, bureaus):
    (problem,) = problems_of(printed(by="消防救缓大队"), actor=admin)
    assert [choice.value for choice in problem.choices] == ["department:xiaofang", NEW]


def test_an_unknown_department_is_registered_when_an_administrator_says_so(admin):
    version = imported(printed(by="市信访局"), actor=admin, answers={"department:市信访局": NEW})
    assert version.rows.get().check_department.short_name == "市信访局"


def test_others_do_not_register_departments_by_an_import(bureaus):
    clerk = make_user(bureaus["minzheng"], Role.HANDLER)
    with pytest.raises(PermissionDenied):
        imported(printed(by="市信访局"), actor=clerk, answers={"department:市信访局": NEW})
    assert nothing_was_saved()
    assert find_department("市信访局") is None


def test_a_blank_department_is_answered_for_its_cell_alone(admin, bureaus):
    rows = (printed(by=None, sector=None, body=TOWN), printed(number=2, sector=None, body=TOWN))
    (problem,) = problems_of(*rows, actor=admin)
    assert problem.key == "gap:3-3:E"
    blank = {"gap:3-3:E": BLANK}
    (problem,) = problems_of(*rows, actor=admin, answers=blank)
    assert (problem.key, problem.reason) == ("cell:E3", "“检查实施部门”空白，由哪个部门实施")
    version = imported(*rows, actor=admin, answers={**blank, "cell:E3": "department:ziran"})
    assert [row.check_department.code for row in version.rows.all()] == ["ziran", "minzheng"]
    assert version.rows.get(number="1").check_department_text == ""


def test_a_blank_cell_takes_the_text_above_when_a_person_says_so(admin):
    rows = (printed(body=TOWN), printed(number=2, situation=None, check="另一检查", body=TOWN))
    (problem,) = problems_of(*rows, actor=admin)
    version = imported(*rows, actor=admin, answers={problem.key: "line:3"})
    row = version.rows.get(number="2")
    assert (row.situation, row.inferred, row.printed[1]) == ("对养老机构的监管", {"1": "B3"}, "")


def test_a_list_without_a_department_column_asks_for_one_department_once(admin):
    header = ["序号", "抽查事项", "检查对象", "抽查比例"]
    rows = [["1", "检查甲", "养老院", "40%;每年1次"], ["2", "检查乙", "养老院", "待定"]]
    (problem,) = problems_of(*rows, header=header, actor=admin)
    assert (problem.key, problem.lines) == ("column:CHECK_DEPARTMENT", (3, 4))
    version = imported(*rows, header=header, actor=admin, answers={problem.key: "department:minzheng"})
    assert [row.check_department.code for row in version.rows.all()] == ["minzheng", "minzheng"]
    assert [(row.sampling_text, row.sampling) for row in version.rows.all()] == [
        ("40%;每年1次", {"bands": [{"percent": "40"}], "per_year": 1}),
        ("待定", {}),
    ]


def test_a_new_library_item_takes_what_the_list_says_of_it_and_an_old_one_keeps_its_texts(admin):
    header = [*HEADER, "检查依据", "检查方式"]
    imported([*printed(), "《甲法》第1条", "现场检查"], header=header, actor=admin)
    imported([*printed(), "《乙法》第2条", "书面检查"], header=header, actor=admin)
    item = CheckItem.objects.get()
    assert (item.basis, item.method) == ("《甲法》第1条", "现场检查")


def test_a_row_may_be_left_out_with_its_question(admin):
    rows = (printed(body=TOWN), printed(number=2, situation=None, check="另一检查", body=TOWN))
    (problem,) = problems_of(*rows, actor=admin)
    version = imported(*rows, actor=admin, answers={problem.key: LEAVE_OUT})
    assert [row.number for row in version.rows.all()] == ["1"]


def test_a_number_printed_twice_is_noted_and_kept(admin):
    version = imported(printed(), printed(penalty="另一处罚"), actor=admin)
    assert [row.number for row in version.rows.all()] == ["1", "1"]


def test_a_row_may_be_left_out_by_its_line(admin):
    version = imported(printed(), printed(number=2, by="市信访局"), actor=admin, answers={"row:4": LEAVE_OUT})
    assert version.rows.count() == 1
    assert entries_of(version.scenario.subject).get().payload["left_out"] == [4]


def test_leaving_every_row_out_is_refused(admin):
    with pytest.raises(DomainError, match="所有事项行都被选择不导入"):
        imported(printed(), actor=admin, answers={"row:3": LEAVE_OUT})
    assert nothing_was_saved()


def test_a_row_without_penalty_is_saved_once_confirmed(admin):
    row = printed(penalty=None, body=None)
    (problem,) = problems_of(row, actor=admin)
    version = imported(row, actor=admin, answers={problem.key: NO_PENALTY})
    saved_row = version.rows.get()
    assert (saved_row.penalty_body, saved_row.penalty_item) == (PenaltyBodyKind.NONE, None)


@pytest.mark.parametrize(
    ("text", "listing"),
    [
        ("承接行政处罚权的乡镇（街道）", DelegationList.GENERAL),
        ("承接行政处罚权的乡镇(街道)", DelegationList.GENERAL),
        ("承接消防行政处罚权的\n乡镇（街道）", DelegationList.FIRE),
    ],
)
def test_the_two_phrases_for_delegated_towns_are_two_lists(admin, text, listing):
    row = imported(printed(body=text), actor=admin).rows.get()
    assert (row.penalty_body, row.delegation_list) == (PenaltyBodyKind.DELEGATED_TOWN, listing)
    assert row.penalty_department_text == text


def test_another_kind_of_delegation_is_asked_about(admin):
    (problem,) = problems_of(printed(body="承接林业行政处罚权的乡镇（街道）"), actor=admin)
    assert (problem.cell, problem.reason) == ("G3", "不知道这是哪个部门")


def test_a_delegated_town_cannot_be_who_inspects(admin):
    (problem,) = problems_of(printed(by="承接行政处罚权的乡镇（街道）"), actor=admin)
    assert problem.cell == "E3"
    assert problem.reason == "检查事项须由具体部门实施，不能是承接处罚权的镇街"


def test_an_unknown_lead_department_is_asked_about(admin, bureaus):
    above = [["主题：养老安全一件事", None, None, None, "牵头部门：市民政厅"]]
    (problem,) = problems_of(printed(), actor=admin, above=above)
    assert (problem.cell, problem.text, problem.key) == ("E1", "市民政厅", "lead")
    version = imported(printed(), actor=admin, above=above, answers={"lead": "department:minzheng"})
    assert version.scenario.lead_department == bureaus["minzheng"]
    assert find_department("市民政厅") == bureaus["minzheng"]


def test_two_lead_departments_in_one_cell_never_become_an_alias(admin, bureaus):
    above = [["主题：养老安全一件事", None, None, None, "牵头部门：市民政局、市自然资源局"]]
    imported(printed(), actor=admin, above=above, answers={"lead": "department:minzheng"})
    assert not DepartmentAlias.objects.filter(alias__contains="、").exists()


def test_a_lead_that_contradicts_the_sheet_is_refused(admin, bureaus):
    with pytest.raises(DomainError, match="清单写明牵头部门是市民政局，与所选的市自然资源局不一致。"):
        imported(printed(), actor=admin, answers={"lead": "department:ziran"})


def test_another_department_cannot_take_a_scenario_over(admin):
    imported(printed(), actor=admin)
    above = [[*THEME[:4], "牵头部门：市自然资源局"]]
    with pytest.raises(DomainError, match="由市民政局牵头，不能导入为市自然资源局牵头的清单。"):
        imported(printed(), actor=admin, above=above)


def test_a_sheet_without_any_name_is_refused(admin, bureaus):
    with pytest.raises(DomainError, match="没有主题或标题"):
        imported(printed(), actor=admin, above=[], answers={"lead": "department:minzheng"})


def test_a_second_sheet_is_left_unread_on_purpose(admin):
    book = Workbook()
    for sheet in (book.active, book.create_sheet("另一张")):
        for row in (THEME, HEADER, printed()):
            sheet.append(row)
    with pytest.raises(UnresolvedError) as caught:
        import_workbook(saved(book), name="清单.xlsx", actor=admin)
    assert [problem.key for problem in caught.value.problems] == ["sheet:另一张"]
    assert (
        import_workbook(
            saved(book), name="清单.xlsx", actor=admin, answers={"sheet:另一张": LEAVE_OUT}
        ).rows.count()
        == 1
    )


# --- Twice, and by whom --------------------------------------------------------------------------------------


def test_the_same_file_twice_is_noticed(jinjiang, admin):
    with pytest.raises(DuplicateError) as caught:
        import_workbook(JINJIANG.read_bytes(), name="改了名.xlsx", actor=admin)
    assert caught.value.version == jinjiang
    assert caught.value.message == (
        "这个文件已导入为“养老服务机构基础安全监管一件事 第1版”（草稿），未重复导入。"
    )


@pytest.mark.django_db(transaction=True)
def test_a_form_sent_twice_at_once_makes_one_draft(admin):
    data, together = JINJIANG.read_bytes(), threading.Barrier(2)

    def send() -> str:
        together.wait()
        try:
            return import_workbook(data, name=JINJIANG.name, actor=admin).state
        except DuplicateError:
            return "noticed"
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as senders:
        sent = [senders.submit(send) for _ in range(2)]
        assert sorted(future.result() for future in sent) == ["DRAFT", "noticed"]
    assert ScenarioVersion.objects.count() == 1


def test_the_same_file_again_makes_the_next_version_of_the_same_items(jinjiang, admin):
    again = import_workbook(JINJIANG.read_bytes(), name=JINJIANG.name, actor=admin, again=True)
    assert (again.scenario, again.number) == (jinjiang.scenario, 2)
    assert (CheckItem.objects.count(), PenaltyItem.objects.count(), Sector.objects.count()) == (17, 27, 7)


def test_items_are_one_library_item_however_their_cells_break_lines(admin):
    imported(
        printed(check="人员资质\n检查"),
        printed(number=2, check="人员资质检查", penalty="另一处罚"),
        actor=admin,
    )
    assert [item.name for item in CheckItem.objects.all()] == ["人员资质检查"]


def test_the_leads_clerk_imports(bureaus):
    clerk = make_user(bureaus["minzheng"], Role.HANDLER)
    assert imported(printed(), actor=clerk).created_by == clerk


@pytest.mark.parametrize(("code", "role"), [("ziran", Role.HEAD), ("minzheng", Role.OFFICER)])
def test_others_do_not_import(bureaus, code, role):
    with pytest.raises(PermissionDenied):
        imported(printed(), actor=make_user(bureaus[code], role))
    assert nothing_was_saved()


# --- manage.py import_matrix -----------------------------------------------------------------------------------


def test_the_command_prints_what_it_imported(admin, capsys):
    call_command("import_matrix", str(JINJIANG), "--actor", admin.username, "--publish")
    assert capsys.readouterr().out.strip() == (
        "养老服务机构基础安全监管一件事 第1版（已发布）：28 行，11 个情形，7 个条线，17 项检查事项，27 项处罚事项。"
    )


def test_the_command_lists_every_problem_with_its_answers_and_saves_nothing(admin, capsys, tmp_path):
    path = tmp_path / "清单.xlsx"
    path.write_bytes(
        make_workbook([printed(by="市信访局", body=TOWN), printed(number=2, situation=None, body=TOWN)])
    )
    with pytest.raises(CommandError, match="有 2 处无法确定，未保存任何内容。"):
        call_command("import_matrix", str(path))
    assert capsys.readouterr().err.splitlines() == [
        "工作表“清单”单元格 B4：第 4 行（序号 2）的“一件事情形”空白，且不是合并单元格（gap:4-4:B：line:3、blank）",
        "工作表“清单”单元格 E3“市信访局”：不知道这是哪个部门（department:市信访局：new）",
    ]
    assert nothing_was_saved()


def test_the_command_takes_answers(admin, bureaus, tmp_path):
    path = tmp_path / "清单.xlsx"
    path.write_bytes(
        make_workbook([printed(by="市信访局", body=TOWN), printed(number=2, situation=None, body=TOWN)])
    )
    call_command(
        "import_matrix",
        str(path),
        "--leave-out",
        "gap:4-4:B",
        "--answer",
        "department:市信访局=department:minzheng",
    )
    assert ScenarioVersion.objects.get().rows.get().check_department == bureaus["minzheng"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--actor", "nobody"], "没有账号 nobody。"),
        (["--lead", "nobody"], "没有代号或名称为 nobody 的部门。"),
        (["--lead", "市自然资源局"], "与所选的市自然资源局不一致"),
    ],
)
def test_the_command_refuses_what_it_does_not_know(admin, options, sentence):
    with pytest.raises(CommandError, match=sentence):
        call_command("import_matrix", str(JINJIANG), *options)


def test_the_command_says_when_there_is_no_such_file(admin):
    with pytest.raises(CommandError, match="无法读取文件"):
        call_command("import_matrix", "没有.xlsx")
