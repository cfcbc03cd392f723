"""更换执法人员"""

from typing import Any

from django import forms

from departments.models import Department, Officer
from inspections.models import Task, TaskOfficer
from inspections.services.swaps import replacements


class SwapForm(forms.Form):
    """Who stays, who goes instead, and why, for one department's officers of a visit."""

    sent = forms.ModelChoiceField(
        label="原执法人员",
        queryset=TaskOfficer.objects.none(),
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={"required": "请选择要更换的人员。"},
    )
    replacement = forms.ModelChoiceField(
        label="改派",
        queryset=Officer.objects.none(),
        empty_label="请选择",
        help_text="只列出执法证有效、在岗、无须回避、可检查相应条线的人员。",
        error_messages={"required": "请选择改派的人员。"},
    )
    reason = forms.CharField(
        label="更换理由",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "请填写更换理由。"},
    )

    def __init__(self, data: Any = None, *, task: Task, department: Department):
        super().__init__(data, prefix=department.code)
        self.department = department
        signed = task.signatures.filter(officer__isnull=False).values("officer")
        sent = task.officers.filter(department=department).exclude(officer__in=signed)
        self.fields["sent"].queryset = sent.select_related("officer__user", "department")
        self.fields["sent"].label_from_instance = lambda one: one.officer.user.name
        self.fields["replacement"].queryset = replacements(task, department)
        self.fields["replacement"].label_from_instance = lambda one: one.user.name
