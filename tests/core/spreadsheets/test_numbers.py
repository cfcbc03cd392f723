import pytest

from core.spreadsheets.numbers import builtin_format, printed


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (1, "General", "1"),
        (2.0, "General", "2"),
        (0.1 + 0.2, "General", "0.3"),
        (350582199001010000, "0", "350582199001010000"),
        (0.4, "0%", "40%"),
        (0.405, "0.0%", "40.5%"),
        (0.125, "0%", "13%"),
        (-0.05, "0%", "-5%"),
        (7, "000", "007"),
        (0.5, "0.00", "0.50"),
        (3.14159, "0.##", "3.14"),
        (3, "0.##", "3"),
        (1200, "#,##0", "1,200"),
        (-1234567.891, "#,##0.00", "-1,234,567.89"),
        (12, '0"家"', "12家"),
        (12, 'G/通用格式"家"', "12家"),
        (5, "_ * #,##0_ ;_ * -#,##0_ ", "5"),
        (1200.5, "[Red]¥#,##0.00", "¥1,200.50"),
        (-3, '"约"0', "-约3"),
        (3, "@", "3"),
    ],
)
def test_a_number_is_printed_by_its_format(value, code, text):
    assert printed(value, code) == text


@pytest.mark.parametrize(("value", "code"), [(1.5, "# ?/?"), (1.5, "0.00E+00"), (1.5, "0,")])
def test_a_format_beyond_counting_prints_the_number_plainly(value, code):
    assert printed(value, code) == "1.5"


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (45628, "yyyy-mm-dd", "2024-12-02"),
        (45628.5, "yyyy-mm-dd", "2024-12-02"),
        (45628.5, "yyyy/m/d h:mm", "2024-12-02 12:00"),
        (45628, "yyyy/m/d h:mm", "2024-12-02"),
        (45628, '[$-804]yyyy"年"m"月"d"日";@', "2024年12月2日"),
        (45628, 'yyyy"年"m"月"', "2024年12月"),
        (45628, 'm"月"d"日"', "12月2日"),
        (45628, "mmm-yy", "2024-12"),
        (0.5, "h:mm", "12:00"),
        (1.5, "[h]:mm:ss", "36:00:00"),
        (99_999_999, "yyyy-mm-dd", "99999999"),
    ],
)
def test_dates_and_times_are_printed_as_days_and_clocks(value, code, text):
    assert printed(value, code) == text


def test_the_day_a_macintosh_counts_from_is_another():
    assert printed(44166, "yyyy-mm-dd", mac=True) == "2024-12-02"


@pytest.mark.parametrize(
    ("number", "code"), [(0, "General"), (9, "0%"), (31, "yyyy年m月d日"), (57, "yyyy年m月"), (999, "General")]
)
def test_built_in_formats_are_those_of_chinese_excel(number, code):
    assert builtin_format(number) == code


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 1e300])
def test_a_number_nobody_counts_to_is_printed_plainly(value):
    assert printed(value, "0.00") == f"{value:.15g}"
