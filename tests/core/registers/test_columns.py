from datetime import date, datetime

import pytest

from core.registers.columns import Column, day, decimal, many_of, one_of, plain, text, whole, yes_no

LABELS = {"A": "设有食堂", "B": "有特种设备"}


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        (text(5), " 晋江 ", "晋江"),
        (text(20), "怡康\n养老院", "怡康养老院"),
        (text(20), 13800001007, "13800001007"),
        (text(20), 13800001007.0, "13800001007"),
        (text(20), True, "是"),
        (whole(), 80, 80),
        (whole(), 80.0, 80),
        (whole(), " 1,200 ", 1200),
        (whole(), "８０", 80),
        (decimal(10, 2), 4860.5, "4860.50"),
        (decimal(10, 2), "4860.505", "4860.50"),
        (decimal(10, 2), 0, "0.00"),
        (day(), datetime(2024, 5, 1), "2024-05-01"),
        (day(), date(2024, 5, 1), "2024-05-01"),
        (day(), "2024-5-1", "2024-05-01"),
        (day(), "2024年5月1日", "2024-05-01"),
        (day(), "2024/05/01", "2024-05-01"),
        (day(), "2024.5.1", "2024-05-01"),
        (day(), "20240501", "2024-05-01"),
        (day(), 20240501, "2024-05-01"),
        (day(), "2024-05-01 00:00:00", "2024-05-01"),
        (one_of(LABELS), "设有食堂", "A"),
        (one_of(LABELS), " 设有 食堂", "A"),
        (one_of(LABELS), "B", "B"),
        (one_of(LABELS, aliases={"食堂": "A"}), "食堂", "A"),
        (one_of({3: "三星级"}, aliases={"3": 3}), 3, 3),
        (many_of(LABELS), "有特种设备、设有食堂", ["A", "B"]),
        (many_of(LABELS), "设有食堂，设有食堂", ["A"]),
        (many_of(LABELS), "无", []),
        (yes_no(), "是", True),
        (yes_no(), "无", False),
        (yes_no(), False, False),
    ],
)
def test_a_cell_becomes_a_value(kind, cell, value):
    assert kind.parse(cell) == value


@pytest.mark.parametrize(
    ("kind", "cell", "reason"),
    [
        (text(2), "养老院", "最多2个字，现有3个字"),
        (text(20), "#N/A", "是错误值 #N/A"),
        (text(20), "甲\x00乙", "含有不可见的控制字符"),
        (text(20), 123505824890000134, "以数字格式保存，超过15位的数字已失真；请把该列设为文本格式后重填"),
        (text(20), 1.23505824890000e17, "以数字格式保存，超过15位的数字已失真；请把该列设为文本格式后重填"),
        (whole(), "许多", "应为数字"),
        (whole(), 1.5, "应为整数"),
        (whole(0, 10), 11, "应在0至10之间"),
        (whole(), "nan", "应为数字"),
        (whole(), "Infinity", "应为数字"),
        (whole(), True, "应为数字"),
        (whole(), datetime(2024, 5, 1), "应为数字"),
        (decimal(5, 2), "1000", "应不小于0且小于1000"),
        (decimal(5, 2), -1, "应不小于0且小于1000"),
        (day(), "去年", "应为日期，如 2025-03-01"),
        (day(), "2024-02-30", "应为日期，如 2025-03-01"),
        (day(), 45000, "应为日期，如 2025-03-01"),
        (day(), "9999-12-31", "日期应在 1900-01-01 至 2100-12-31 之间"),
        (day(), datetime(1899, 12, 31), "日期应在 1900-01-01 至 2100-12-31 之间"),
        (day(past=True), "2999-01-01", "不能晚于今天"),
        (day(past=True), datetime(2999, 1, 1), "不能晚于今天"),
        (one_of(LABELS), "泳池", "应为设有食堂 / 有特种设备之一"),
        (many_of(LABELS), "设有食堂、泳池", "不认识“泳池”，应为设有食堂、有特种设备"),
        (yes_no(), "也许", "应为是或否"),
    ],
)
def test_a_wrong_cell_says_why(kind, cell, reason):
    with pytest.raises(ValueError) as refused:
        kind.parse(cell)
    assert str(refused.value) == reason


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (text(20), "晋江"),
        (whole(), 80),
        (decimal(10, 2), "4860.50"),
        (day(), "2024-05-01"),
        (one_of(LABELS), "A"),
        (many_of(LABELS), ["A", "B"]),
        (yes_no(), True),
        (yes_no(), False),
    ],
)
def test_what_is_written_is_read_back_the_same(kind, value):
    assert kind.parse(Column("field", "列", kind).show(value)) == value


@pytest.mark.parametrize("nothing", [None, "", []])
def test_nothing_is_written_as_a_blank_cell(nothing):
    assert Column("field", "列", many_of(LABELS)).show(nothing) == ""


def test_names_are_compared_without_spaces_and_full_width_forms():
    assert plain(" 英林 镇（Ａ）") == "英林镇(A)"


@pytest.mark.parametrize("cell", ["1e800000", "-1e800000", "1e-800000", "9" * 5000])
def test_a_number_of_endless_digits_is_refused_at_once(cell):
    with pytest.raises(ValueError, match="应"):
        whole(0, 1000).parse(cell)
