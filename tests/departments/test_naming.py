import pytest

from departments.services.naming import core_of, is_open_ended, likeness, plain_name, split_departments


@pytest.mark.parametrize(
    ("printed", "plain"),
    [
        ("市场监管局", "市场监管局"),
        (" 市场 监管\n局 ", "市场监管局"),
        ("市场　监管局", "市场监管局"),
        ("市卫生健康局 、", "市卫生健康局"),
        ("城管局（综合执法局）", "城管局(综合执法局)"),
        ("Ａ办", "A办"),
        ("、", ""),
        ("", ""),
    ],
)
def test_a_name_is_kept_without_spaces_widths_and_ends(printed, plain):
    assert plain_name(printed) == plain


@pytest.mark.parametrize(
    ("printed", "names"),
    [
        ("市教育局", ["市教育局"]),
        ("市卫生健康局 、", ["市卫生健康局"]),
        ("市公安局、市交通运输局", ["市公安局", "市交通运输局"]),
        (
            "市教育局、市人力资源和社会保障局、市公安局、 市卫生健康局",
            ["市教育局", "市人力资源和社会保障局", "市公安局", "市卫生健康局"],
        ),
        ("市公安局、市防救援 支队等部门", ["市公安局", "市防救援支队"]),
        ("市公安局等3个部门", ["市公安局"]),
        ("市公安局、市教育局等有关单位", ["市公安局", "市教育局"]),
        ("市公安局,市教育局；市民政局/市商务局", ["市公安局", "市教育局", "市民政局", "市商务局"]),
        ("市公安局\n市教育局", ["市公安局", "市教育局"]),
        ("市市场监督\n管理局", ["市市场监督管理局"]),
        ("市公安局 交警大队", ["市公安局交警大队"]),
        ("市民政局、市民政局", ["市民政局"]),
    ],
)
def test_names_come_in_the_printed_order(printed, names):
    assert split_departments(printed) == names


@pytest.mark.parametrize(
    ("printed", "names"),
    [
        ("县级以上民政、住房城乡建设、卫生健康部门", ["民政部门", "住房城乡建设部门", "卫生健康部门"]),
        ("县级以上地方人民政府民政、消防救援部门", ["民政部门", "消防救援部门"]),
        ("民政、卫生健康主管部门", ["民政主管部门", "卫生健康主管部门"]),
        ("民政、教育、公安局", ["民政局", "教育局", "公安局"]),
        ("民政、教育两部门", ["民政部门", "教育部门"]),
        ("民政、住建等部门", ["民政部门", "住建部门"]),
        ("民政、市场监督管理部门", ["民政部门", "市场监督管理部门"]),
        ("市、县民政部门", ["县民政部门"]),
        ("民政、消防救援大队", ["民政", "消防救援大队"]),
    ],
)
def test_an_ending_said_once_counts_for_all(printed, names):
    assert split_departments(printed) == names


@pytest.mark.parametrize(
    ("printed", "names"),
    [
        ("市公安局和市交通运输局", ["市公安局", "市交通运输局"]),
        ("民政和卫生健康部门", ["民政部门", "卫生健康部门"]),
        ("县级以上民政、公安以及消防救援部门", ["民政部门", "公安部门", "消防救援部门"]),
        ("市住房和城乡建设局", ["市住房和城乡建设局"]),
        ("城市管理和综合执法局、发展和改革局", ["城市管理和综合执法局", "发展和改革局"]),
        ("人力资源和社会保障部门", ["人力资源和社会保障部门"]),
    ],
)
def test_and_parts_departments_not_a_departments_name(printed, names):
    assert split_departments(printed) == names


@pytest.mark.parametrize(
    ("printed", "names"),
    [
        ("市民政局（牵头）、市公安局（配合）", ["市民政局", "市公安局"]),
        ("牵头部门：市民政局；配合部门：市公安局", ["市民政局", "市公安局"]),
        ("市城管局（市综合执法局、市园林局）、市民政局", ["市城管局(市综合执法局、市园林局)", "市民政局"]),
        ("承接行政处罚权的乡镇（街道）", ["承接行政处罚权的乡镇(街道)"]),
    ],
)
def test_words_in_brackets_are_roles_or_belong_to_the_name(printed, names):
    assert split_departments(printed) == names


@pytest.mark.parametrize(
    "printed",
    [
        "市场监管领域相关部门 (由发起部门确定)",
        "有关部门",
        "各部门",
        "其他有关部门",
        "待定",
        "无",
        "、",
        "",
        "  ",
    ],
)
def test_words_that_name_nobody_are_no_departments(printed):
    assert split_departments(printed) is None


def test_a_vague_item_is_left_out_beside_a_named_one():
    assert split_departments("市公安局、其他有关部门") == ["市公安局"]


@pytest.mark.parametrize(
    ("printed", "is_open"),
    [
        ("市公安局、市交通运输局等部门", True),
        ("市公安局等", True),
        ("市公安局等三个部门", True),
        ("市公安局、有关部门", True),
        ("市场监管领域相关部门 (由发起部门确定)", True),
        ("市公安局、市交通运输局", False),
        ("配合部门：市公安局", False),
        ("", False),
    ],
)
def test_a_list_says_whether_more_are_meant(printed, is_open):
    assert is_open_ended(printed) is is_open


@pytest.mark.parametrize(
    ("name", "core"),
    [
        ("晋江市消防救援大队", "消防救援"),
        ("市消防救援支队", "消防救援"),
        ("消防部门", "消防救援"),
        ("泉州市晋江生态环境局", "生态环境"),
        ("晋江民政局", "民政"),
        ("州民政局", "民政"),
        ("晋江市市场监督管理局", "市场监管"),
        ("市市场监督管理局", "市场监管"),
        ("市场监管主管部门", "市场监管"),
        ("县级以上人民政府民政部门", "民政"),
        ("市人力资源和社会保障局", "人力资源社会保障"),
        ("人社局", "人力资源社会保障"),
        ("安海镇人民政府", "安海"),
        ("青阳街道办事处", "青阳"),
        ("城市管理局", "城市管理"),
        ("市政园林局", "市政园林"),
        ("卫生健康委员会", "卫生健康"),
        ("局", "局"),
        ("", ""),
    ],
)
def test_the_core_of_a_name_has_no_place_and_no_ending(name, core):
    assert core_of(name, ["晋江"]) == core


def test_short_names_are_alike_only_when_they_are_the_same():
    assert (likeness("民政", "财政"), likeness("民政", "民政")) == (0.0, 1.0)


def test_a_misprint_is_nearly_alike():
    assert round(likeness("防救援", "消防救援"), 2) == 0.86
