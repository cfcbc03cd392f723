"""Lists of other cities, in other layouts: cell by cell as published, after the questions their notes call for."""

import json

import pytest

from scenarios.enums import RowPart
from scenarios.services.importing import import_workbook
from scenarios.services.importing.problems import DEPARTMENT, NEW, NOBODY, UnresolvedError
from tests.factories.matrices import ROOT, make_admin, make_bureaus

pytestmark = pytest.mark.django_db

CITIES = ROOT / "tests/data/other-cities"
LEAD = {"lead": f"{DEPARTMENT}minzheng"}


@pytest.fixture
def admin():
    make_bureaus()
    return make_admin()


def asked(name: str, actor, answers: dict[str, str]) -> list:
    with pytest.raises(UnresolvedError) as caught:
        take(name, actor, answers)
    return caught.value.problems


def take(name: str, actor, answers: dict[str, str]):
    path = CITIES / f"{name}.xlsx"
    return import_workbook(path.read_bytes(), name=path.name, actor=actor, answers=LEAD | answers)


def published(name: str) -> list[list[str]]:
    return json.loads((CITIES / f"{name}.json").read_text(encoding="utf-8"))["resolved_rows"]


def lines(version) -> list[list[str]]:
    return [row.cells for row in version.rows.order_by("line", "position").distinct("line")]


def test_a_list_of_one_department_asks_only_which(admin):
    (problem,) = asked("m01_junan_shandong", admin, {})
    assert problem.reason == "没有部门一列，这些事项由哪个部门实施"
    version = take("m01_junan_shandong", admin, {problem.key: f"{DEPARTMENT}minzheng"})
    assert lines(version) == published("m01_junan_shandong")
    assert {row.check_department.code for row in version.rows.all()} == {"minzheng"}
    assert version.rows.first().check_item.basis.startswith("山东省民政厅")
    assert version.rows.first().sampling == {"per_year": 1}


def test_lead_and_partner_lines_become_lead_and_partner_departments(admin):
    new, known = asked("m04_qingdao_2023", admin, {})
    assert (new.text, new.proposal, [choice.value for choice in new.choices]) == ("民族宗教部门", "", [NEW])
    assert (known.text, known.proposal) == ("市场监管部门", f"{DEPARTMENT}shichang")
    version = take("m04_qingdao_2023", admin, {new.key: NEW, known.key: known.proposal})
    assert lines(version) == published("m04_qingdao_2023")
    lead, partner = version.rows.all()
    assert (lead.part, lead.check_department.short_name) == (RowPart.IMPLEMENTING, "民族宗教部门")
    assert (partner.part, partner.check_department.code) == (RowPart.PARTNER, "shichang")
    # 配合部门 joins; the lead's item of its list of powers is not counted as its own.
    assert (partner.check_item, partner.cells[11:]) == (None, ["", "", "", ""])
    assert lead.sampling == {"bands": [{"percent": "5"}]}


def test_a_list_with_misprints_and_vague_names_asks_about_each_once(admin):
    problems = asked("m07_shantou_guangdong", admin, {})
    by_text = {problem.text: problem for problem in problems}
    fire = by_text["市防救援支队"]
    assert f"{DEPARTMENT}xiaofang" in [choice.value for choice in fire.choices]
    vague = next(problem for problem in problems if "由发起部门确定" in problem.text)
    assert NOBODY in [choice.value for choice in vague.choices]
    answers = {problem.key: problem.proposal or NEW for problem in problems}
    answers |= {fire.key: f"{DEPARTMENT}xiaofang", vague.key: NOBODY}
    version = take("m07_shantou_guangdong", admin, answers)
    assert lines(version) == published("m07_shantou_guangdong")
    led = version.rows.filter(line=6)
    assert [(row.part, row.check_department.short_name) for row in led] == [
        (RowPart.IMPLEMENTING, "市公安局"),
        (RowPart.IMPLEMENTING, "市卫生健康局"),
        (RowPart.PARTNER, "市消防救援大队"),
    ]
