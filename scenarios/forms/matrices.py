"""Forms of versions."""

from django import forms
from django.db.models import QuerySet

from core.forms import DayField
from scenarios.enums import GapKind
from scenarios.models import ScenarioVersion


class PublishForm(forms.Form):
    effective_from = DayField(
        label="生效日期",
        required=False,
        help_text="不填即自今日起生效。首个版本可填文件印发日期。",
        error_messages={"invalid": "请填写日期，如 2024-12-02。"},
    )


class RetireForm(forms.Form):
    last_day = DayField(
        label="最后一天",
        help_text="这一天仍按本版执行，不能晚于今天。",
        error_messages={"required": "请填写最后一天。", "invalid": "请填写日期，如 2026-12-31。"},
    )
    reason = forms.CharField(
        label="停用原因",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "请填写停用原因。", "max_length": "停用原因不能超过 500 个字。"},
    )


class DayForm(forms.Form):
    """Which day's version is asked for."""

    on = DayField(
        label="查看某日有效的版本",
        required=False,
        error_messages={"invalid": "请填写日期，如 2025-03-01。"},
    )


class CompareForm(forms.Form):
    """Which version of the same scenario the one shown is compared with."""

    base = forms.ModelChoiceField(
        label="与哪一版相比", queryset=ScenarioVersion.objects.none(), empty_label=None
    )

    def __init__(self, versions: QuerySet[ScenarioVersion], *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["base"].queryset = versions
        self.fields["base"].label_from_instance = lambda each: (
            f"{each.short_name}（{each.get_state_display()}）"
        )


class GapFilterForm(forms.Form):
    kind = forms.ChoiceField(label="缺口", required=False, choices=[("", "全部"), *GapKind.choices])
    mine = forms.BooleanField(label="我能处理的", required=False)
