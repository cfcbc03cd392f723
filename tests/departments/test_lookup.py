import pytest

from departments.services import add_alias, find_department, known_names, propose_department
from portal import reference
from tests.factories.departments import make_department

pytestmark = pytest.mark.django_db


@pytest.fixture
def register():
    reference.load()


def proposed(text: str) -> list[str]:
    return [proposal.department.code for proposal in propose_department(text)]


@pytest.mark.parametrize(
    "name", ["市场监管局", " 市场 监管局、", "市场　监管局", "晋江市市场监督管理局", "市市场监管局"]
)
def test_a_known_name_is_found_however_it_is_printed(register, name):
    assert find_department(name).code == "shichang"


def test_an_unknown_name_is_not_found_but_proposed(register):
    assert find_department("市防救援 支队") is None
    assert proposed("市防救援 支队") == ["xiaofang"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("市消防救援支队", "xiaofang"),
        ("汕头市市场监督管理局", "shichang"),
        ("县民政部门", "minzheng"),
        ("民政主管部门", "minzheng"),
        ("县级以上人民政府民政部门", "minzheng"),
        ("青岛市生态环境主管部门", "shengtai"),
        ("人力资源社会保障行政部门", "renshe"),
        ("自然资源和规划局", "ziran"),
        ("城管综合执法局", "chengguan"),
        ("市场监督管里局", "shichang"),
        ("安海镇", "zhen-anhai"),
        ("安海镇政府", "zhen-anhai"),
    ],
)
def test_a_near_name_is_proposed_first(register, text, code):
    assert proposed(text)[:1] == [code]


@pytest.mark.parametrize(
    "text",
    [
        "市财政局",
        "市教育局",
        "市公安局",
        "市商务局",
        "民族宗教部门",
        "市卫生健康局",
        "市应急管理局",
        "永宁镇",
        "",
    ],
)
def test_a_department_that_is_not_ours_is_not_proposed(register, text):
    assert proposed(text) == []


def test_a_proposal_says_why_and_how_sure(register):
    (same,) = propose_department("市消防救援支队")
    (near,) = propose_department("市防救援 支队")
    (known,) = propose_department("消防部门")
    assert (same.score, near.score, known.score) == (0.95, 0.81, 1.0)
    assert same.why == "除地名和“局”“部门”等字外与“消防救援大队”相同"
    assert near.why.startswith("与“")
    assert known.why == "已登记的名称“消防部门”"


def test_names_of_a_whole_document_are_asked_for_once(register, django_assert_num_queries):
    with django_assert_num_queries(2):
        names = known_names()
        for text in ("市消防救援支队", "市防救援 支队", "县民政部门"):
            propose_department(text, names)


def test_an_alias_is_kept_plain():
    bureau = make_department("xiaofang")
    add_alias(bureau, " 消防　部门、")
    assert list(bureau.aliases.values_list("alias", flat=True)) == ["消防部门"]
    assert find_department("消防 部门") == bureau
