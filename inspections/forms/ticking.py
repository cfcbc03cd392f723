"""What is sent from the tick board."""

from typing import Any

from django import forms

from core.forms import MomentField
from inspections.models import JointInspection, Participation


class TickForm(forms.Form):
    ticked = forms.BooleanField(label="检查此项", required=False)
    note = forms.CharField(label="备注", required=False, max_length=500)
    rev = forms.IntegerField(min_value=0)


class ParticipationField(forms.ModelChoiceField):
    """One of the departments that take part, by name."""

    def label_from_instance(self, participation: Participation) -> str:
        return participation.department.short_name


class LateForm(forms.Form):
    """Whom the lead lets tick after the closing, until when and why."""

    participation = ParticipationField(
        label="部门",
        queryset=Participation.objects.none(),
        empty_label=None,
        error_messages={
            "required": "请选择部门。",
            "invalid_choice": "请选择参与本次检查的部门。",
        },
    )
    until = MomentField(
        label="补勾截止时间",
        error_messages={
            "required": "请填写补勾截止时间。",
            "invalid": "补勾截止时间应如 2026-03-06 17:00。",
        },
    )
    reason = forms.CharField(
        label="准许补勾的理由",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={
            "required": "请填写准许补勾的理由。",
            "max_length": "理由最多 500 字。",
        },
    )

    def __init__(self, *args: Any, inspection: JointInspection, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["participation"].queryset = inspection.participations.select_related("department__group")


def seen_revs(values: list[str]) -> dict[int, int]:
    """`["12:3:…", …]`, what the clerk's page showed, as {tick: rev}; anything else is passed over."""
    revs = {}
    for value in values:
        tick, rev = [*value.split(":"), ""][:2]
        if tick.isdecimal() and rev.isdecimal():
            revs[int(tick)] = int(rev)
    return revs
