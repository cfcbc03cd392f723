"""What every form needs: the browser's own calendar, sane days, a place for what a service refused."""

from datetime import date, datetime

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from core.days import EARLIEST, LATEST, OUT_OF_RANGE
from core.errors import DomainError


def check_day(value: date | datetime) -> None:
    """Raise ValidationError for a day, or a moment, outside EARLIEST to LATEST."""
    day = value.date() if isinstance(value, datetime) else value
    if not EARLIEST <= day <= LATEST:
        raise ValidationError(f"{OUT_OF_RANGE}。", code="out_of_range")


class DateInput(forms.DateInput):
    """The browser's own calendar."""

    input_type = "date"

    def __init__(self, attrs: dict | None = None):
        super().__init__(attrs, format="%Y-%m-%d")


class MomentInput(forms.DateTimeInput):
    """The browser's own calendar and clock, to the minute."""

    input_type = "datetime-local"

    def __init__(self, attrs: dict | None = None):
        super().__init__(attrs, format="%Y-%m-%dT%H:%M")


class DayField(forms.DateField):
    """A day from the browser's calendar, within EARLIEST and LATEST."""

    widget = DateInput
    default_validators = [check_day]


class MomentField(forms.DateTimeField):
    """A day and a time of it, within the same bounds."""

    widget = MomentInput
    default_validators = [check_day]


def typed(data: QueryDict, name: str, *, most: int = 500) -> str:
    """The one text of a dialog that has no form of its own.

    Raises DomainError for a text too long, or with a NUL, which PostgreSQL does not keep.
    """
    said = data.get(name, "")
    if "\0" in said:
        raise DomainError("填写的文字含有不可见的控制字符，请删去后重新提交。")
    if len(said) > most:
        raise DomainError(f"填写的文字最多 {most} 个字，现有 {len(said)} 个字。")
    return said


def show_refusal(form: forms.BaseForm, error: DomainError) -> None:
    """Put a service's refusal on the form: on the fields it names, else above them all."""
    for name, message in error.fields.items():
        form.add_error(name if name in form.fields else None, message)
    if not error.fields:
        form.add_error(None, error.message)
