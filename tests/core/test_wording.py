import pytest
from django import forms


class Everything(forms.Form):
    name = forms.CharField(max_length=3)
    reason = forms.CharField(error_messages={"required": "请填写退回理由。"})
    kind = forms.ChoiceField(choices=[("a", "甲")])
    day = forms.DateField()
    beds = forms.IntegerField(min_value=0, max_value=9)
    area = forms.DecimalField()


def said(**values) -> dict[str, list[str]]:
    return dict(Everything(values).errors)


def test_an_empty_form_says_what_to_do():
    assert said() == {
        "name": ["请填写。"],
        "reason": ["请填写退回理由。"],
        "kind": ["请选择。"],
        "day": ["请填写。"],
        "beds": ["请填写。"],
        "area": ["请填写。"],
    }


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", "养老服务", "最多 3 个字，现有 4 个字。"),
        ("name", "甲\0", "含有不可见的控制字符，请删去。"),
        ("kind", "b", "请在选项中选择。"),
        ("day", "2025-02-30", "请填写日期，如 2025-03-01。"),
        ("beds", "十", "请填写整数。"),
        ("beds", "10", "不能大于 9。"),
        ("beds", "-1", "不能小于 0。"),
        ("area", "十", "请填写数字。"),
    ],
)
def test_a_wrong_value_is_said_in_plain_words(field, value, message):
    assert said(**{field: value})[field] == [message]
