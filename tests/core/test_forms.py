from datetime import date
from urllib.parse import quote

import pytest
from django import forms
from django.http import QueryDict

from core.errors import DomainError
from core.forms import DayField, MomentField, typed


class Choice(forms.Form):
    day = DayField()
    moment = MomentField()


@pytest.mark.parametrize("day", ["1900-01-01", "2100-12-31"])
def test_days_up_to_the_bounds_are_taken(day):
    form = Choice({"day": day, "moment": f"{day}T23:59"})
    assert form.is_valid()
    assert form.cleaned_data["day"] == date.fromisoformat(day)


@pytest.mark.parametrize("day", ["0001-01-01", "1899-12-31", "2101-01-01", "9999-12-31"])
def test_a_day_out_of_range_is_refused_with_the_bounds(day):
    said = ["日期应在 1900-01-01 至 2100-12-31 之间。"]
    assert Choice({"day": day, "moment": f"{day}T23:59"}).errors == {"day": said, "moment": said}


def test_a_day_is_chosen_in_the_browsers_calendar():
    form = Choice()
    assert [form[name].field.widget.input_type for name in ("day", "moment")] == ["date", "datetime-local"]


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ("退\0回", "填写的文字含有不可见的控制字符，请删去后重新提交。"),
        ("长" * 501, "填写的文字最多 500 个字，现有 501 个字。"),
    ],
)
def test_a_reason_the_database_cannot_keep_is_refused(said, refusal):
    with pytest.raises(DomainError, match=refusal):
        typed(QueryDict(f"reason={quote(said)}"), "reason")


def test_a_reason_that_was_not_sent_is_empty():
    assert typed(QueryDict(), "reason") == ""
