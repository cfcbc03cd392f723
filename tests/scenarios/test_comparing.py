import random

import pytest

from scenarios.enums import STANDARD_COLUMNS, ColumnRole
from scenarios.services.comparing import (
    Content,
    Line,
    RouteChange,
    compare,
    content_of_lines,
    content_of_version,
    marks,
    route_changes,
)
from scenarios.services.importing import import_workbook
from tests.factories.matrices import JINJIANG, make_admin, make_bureaus, make_workbook, printed
from tests.factories.scenarios import ROWS, Row, make_version

COLUMNS = [{"text": role.label, "role": role} for role in STANDARD_COLUMNS]
FIRE = "对消防安全重点单位履行法定消防安全职责情况的监督检查"


def line(
    check: str, penalty: str = "", *, number: str = "1", by: str = "民政局", body: str = "民政局"
) -> Line:
    """A line of the seven columns, resolved as it is printed."""
    cells = (number, "对养老机构的监管", "民政", check, by, penalty, body)
    return Line(cells, departments=(by,), body=body)


def table(*lines: Line, columns=COLUMNS) -> Content:
    return content_of_lines(columns, lines)


def shown(texts) -> str:
    """Marks as one text, what differs in brackets."""
    return "".join(f"[{mark.text}]" if mark.changed else mark.text for mark in texts)


def test_the_same_matrix_differs_in_nothing():
    both = table(line("用地检查", "占地"), line("食堂检查", "贮存"))
    assert compare(both, both).is_empty
    assert compare(both, both).unchanged == 2


def test_a_line_of_one_side_only_is_added_or_removed():
    before, after = table(line("用地检查", "占地")), table(line("食堂检查", "贮存"))
    result = compare(before, after)
    assert [(change.after, change.title) for change in result.added] == [(0, "食堂检查 → 贮存")]
    assert [(change.before, change.title) for change in result.removed] == [(0, "用地检查 → 占地")]
    assert (result.changed, result.moved) == ([], [])


def test_a_changed_cell_is_named_by_its_heading_with_both_texts():
    result = compare(
        table(line("用地检查", "占地", by="国土局")), table(line("用地检查", "占地", by="自然资源局"))
    )
    assert (result.added, result.removed) == ([], [])
    (change,) = result.changed
    assert [(cell.heading, shown(cell.before), shown(cell.after)) for cell in change.cells] == [
        ("检查实施部门", "[国土]局", "[自然资源]局"),
        ("检查部门（归口）", "[国土局]", "[自然资源局]"),
    ]


def test_a_reworded_item_is_changed_rather_than_replaced():
    before = table(line(FIRE, "对占用、堵塞、封闭疏散通道、安全出口的行政处罚"))
    after = table(line(FIRE, "对占用、堵塞、封闭疏散通道、安全出口、消防车通道的行政处罚"))
    (change,) = compare(before, after).changed
    assert [shown(cell.after) for cell in change.cells] == [
        "对占用、堵塞、封闭疏散通道、安全出口[、消防车通道]的行政处罚"
    ]


def test_lines_inserted_above_renumber_the_rest_without_changing_it():
    before = table(line("用地检查", "占地", number="1"), line("食堂检查", "贮存", number="2"))
    after = table(
        line("登记检查", "骗取补助资金", number="1"),
        line("用地检查", "占地", number="2"),
        line("食堂检查", "贮存", number="3"),
    )
    result = compare(before, after)
    assert [change.title for change in result.added] == ["登记检查 → 骗取补助资金"]
    assert (result.removed, result.changed) == ([], [])
    assert [(change.number_before, change.label, change.moved) for change in result.moved] == [
        ("1", "序号 2", False),
        ("2", "序号 3", False),
    ]


def test_of_lines_in_another_order_only_those_that_left_it_are_moved():
    names = ["甲项检查", "乙项检查", "丙项检查", "丁项检查"]
    before = table(*(line(name, f"{name}的处罚", number="") for name in names))
    after = table(*(line(name, f"{name}的处罚", number="") for name in ["丁项检查", *names[:3]]))
    result = compare(before, after)
    assert [(change.before, change.after) for change in result.moved] == [(3, 0)]
    assert result.unchanged == 3


def test_a_line_break_within_a_cell_is_no_difference():
    assert compare(table(line("用地\n检查", "占地")), table(line("用地检查", "占 地"))).is_empty


def test_lines_that_say_the_same_are_matched_one_to_one():
    twice = table(line("用地检查", "占地"), line("用地检查", "占地"))
    result = compare(table(line("用地检查", "占地")), twice)
    assert (len(result.added), result.removed, result.changed) == (1, [], [])


def test_of_two_lines_with_one_item_each_finds_the_one_with_its_body():
    brigade, town = line(FIRE, "占用通道", body="消防大队"), line(FIRE, "占用通道", body="镇街")
    result = compare(table(brigade, town), table(town, brigade))
    assert result.changed == []
    assert len(result.moved) == 1


def test_columns_are_matched_by_what_they_say_and_the_others_by_heading():
    before = table(line("用地检查", "占地"))
    columns = [
        {"text": "抽查事项", "role": ColumnRole.CHECK},
        {"text": "违法行为", "role": ColumnRole.PENALTY},
        {"text": "类别", "role": ColumnRole.OTHER},
    ]
    after = table(Line(("用地检查", "占地", "重点"), departments=("民政局",), body="民政局"), columns=columns)
    result = compare(before, after)
    assert result.columns_removed == ["序号", "一件事情形", "条线", "检查实施部门", "处罚实施部门"]
    assert (result.columns_added, result.changed, result.unchanged) == (["类别"], [], 0)
    assert [change.number_before for change in result.moved] == ["1"]


def test_two_columns_of_one_heading_are_told_apart_by_their_order():
    columns = [{"text": "事项", "role": ColumnRole.CHECK}, *[{"text": "说明", "role": ColumnRole.OTHER}] * 2]
    before = table(Line(("用地检查", "甲", "乙")), columns=columns)
    after = table(Line(("用地检查", "甲", "丙")), columns=columns)
    (change,) = compare(before, after).changed
    assert [(shown(cell.before), shown(cell.after)) for cell in change.cells] == [("[乙]", "[丙]")]


def test_a_department_resolved_anew_is_a_change_though_the_print_is_the_same():
    cells = ("1", "情形", "民政", "用地检查", "主管部门", "占地", "主管部门")
    before = table(Line(cells, departments=("国土局",), partners=("城管局",), body="国土局"))
    after = table(Line(cells, departments=("自然资源局",), body="自然资源局"))
    (change,) = compare(before, after).changed
    assert [(cell.heading, shown(cell.before), shown(cell.after)) for cell in change.cells] == [
        ("检查部门（归口）", "[国土局]", "[自然资源局]"),
        ("配合部门（归口）", "[城管局]", "[—]"),
        ("处罚主体（归口）", "[国土局]", "[自然资源局]"),
    ]


def test_a_penalty_that_changes_hands_is_a_changed_route():
    before = table(line(FIRE, "占用通道", body="消防大队"), line("用地检查", "占地"), line("旧检查", "取消"))
    after = table(
        line(FIRE, "占用通道", body="机构所在镇街"), line("用地检查", "占地"), line("新检查", "新增")
    )
    assert route_changes(before, after) == [
        RouteChange("占用通道", ("消防大队",), ("机构所在镇街",)),
        RouteChange("新增", (), ("民政局",)),
        RouteChange("取消", ("民政局",), ()),
    ]


def test_a_reworded_penalty_stays_with_its_department_but_not_with_the_towns():
    old, new = "养老机构工作人员资格不符合规定的处罚", "养老机构工作人员的资格不符合规定的处罚"
    assert route_changes(table(line("人员检查", old)), table(line("人员检查", new))) == []
    town = "机构所在镇街（行政处罚权）"
    changes = route_changes(table(line("人员检查", old, body=town)), table(line("人员检查", new, body=town)))
    assert changes == [RouteChange(new, (), (town,)), RouteChange(old, (town,), ())]


@pytest.mark.parametrize(
    ("before", "after", "left", "right"),
    [
        ("未经批准占地", "未经批准占地", "未经批准占地", "未经批准占地"),
        ("", "新增", "", "[新增]"),
        ("罚款1000元", "罚款3000元", "罚款[1000]元", "罚款[3000]元"),
        ("未按规定公示收费", "不按要求公示价格", "[未按规定]公示[收费]", "[不按要求]公示[价格]"),
    ],
)
def test_marks_show_what_each_text_has_of_its_own(before, after, left, right):
    assert tuple(map(shown, marks(before, after))) == (left, right)


def test_a_very_long_text_is_marked_by_its_sentences():
    sentences = [f"第{at}条养老机构应当依法接受监督检查。" for at in range(400)]
    after = [*sentences[:200], "新增一条。", *sentences[200:]]
    assert [mark.text for mark in marks("".join(sentences), "".join(after))[1] if mark.changed] == [
        "新增一条。"
    ]


@pytest.mark.django_db
def test_a_version_differs_from_itself_in_nothing():
    make_bureaus()
    draft = import_workbook(JINJIANG.read_bytes(), name=JINJIANG.name, actor=make_admin())
    content = content_of_version(draft)
    assert len(content.lines) == 28
    assert content.lines[9].body == "机构所在镇街（行政处罚权）"
    assert compare(content, content).unchanged == 28


@pytest.mark.django_db
def test_reading_a_version_takes_one_query(django_assert_num_queries):
    version = make_version([*ROWS, Row("另一检查", penalty="另一处罚")])
    with django_assert_num_queries(1):
        content_of_version(version)


@pytest.mark.django_db
def test_two_imports_compare_cell_by_cell():
    make_bureaus()
    admin = make_admin()
    first = import_workbook(make_workbook([printed()]), name="甲.xlsx", actor=admin)
    second = import_workbook(
        make_workbook([printed(body="承接行政处罚权的乡镇（街道）")]), name="乙.xlsx", actor=admin
    )
    before, after = content_of_version(first), content_of_version(second)
    (change,) = compare(before, after).changed
    assert [cell.heading for cell in change.cells] == ["处罚实施部门", "处罚主体（归口）"]
    assert [(route.before, route.after) for route in route_changes(before, after)] == [
        (("市民政局",), ("机构所在镇街（行政处罚权）",))
    ]


def test_two_thousand_reworded_lines_still_find_each_other():
    seeded = random.Random(7)
    words = [chr(0x4E00 + at) for at in range(3000)]
    texts = ["对养老机构" + "".join(seeded.choices(words, k=24)) for _ in range(2000)]
    before = table(*(line(f"{text}的检查", f"{text}的处罚") for text in texts))
    after = table(*(line(f"{text}情况的检查", f"{text}的处罚") for text in texts))
    assert len(compare(before, after).changed) == 2000
