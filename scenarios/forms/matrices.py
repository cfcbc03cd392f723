"""Forms of imports and versions."""

from collections.abc import Iterable
from hashlib import sha256

from django import forms
from django.db.models import QuerySet

from core.forms import DateInput
from departments.models import Department
from scenarios.models import ScenarioVersion
from scenarios.services.importing import LEAD_KEY
from scenarios.services.problems import Answer, Problem

LEAVE_OUT, NO_PENALTY = "leave-out", "no-penalty"


class UploadForm(forms.Form):
    file = forms.FileField(
        label="事项清单",
        help_text="Excel 工作簿（.xlsx），不含宏和公式。",
        widget=forms.ClearableFileInput(
            attrs={"accept": ".xlsx,application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
        ),
        error_messages={"required": "请选择要导入的工作簿。", "empty": "文件是空的，未保存。"},
    )


class ReviewForm(forms.Form):
    """One answer for each problem of an upload: a department, or its rows left out on purpose."""

    def __init__(self, problems: Iterable[Problem], departments: Iterable[Department], *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.problems = {self.name_of(problem): problem for problem in problems}
        self.departments = {str(department.pk): department for department in departments}
        for name, problem in self.problems.items():
            self.fields[name] = forms.ChoiceField(
                label=f"{problem.cell}：{problem.text or '（空白）'}",
                help_text=self._explained(problem),
                choices=self._choices(problem),
                error_messages={"required": "请选择如何处理，或选择不导入。"},
            )

    @staticmethod
    def name_of(problem: Problem) -> str:
        # Keys hold any text of a cell; a field's name must also do as an id. It must not depend on
        # the problem's position, which another administrator's new alias may shift meanwhile.
        return "answer-" + sha256(problem.key.encode()).hexdigest()[:16]

    @property
    def answers(self) -> dict[str, Department]:
        return {
            problem.key: self.departments[self.cleaned_data[name]]
            for name, problem in self.problems.items()
            if self.cleaned_data[name] in self.departments
        }

    def keys_of(self, choice: str) -> list[str]:
        """The keys of the problems answered with LEAVE_OUT or NO_PENALTY."""
        return [problem.key for name, problem in self.problems.items() if self.cleaned_data[name] == choice]

    def _choices(self, problem: Problem) -> list:
        choices: list = [("", "请选择")]
        if problem.answer == Answer.NO_PENALTY:
            choices.append((NO_PENALTY, "这一行没有处罚事项"))
        if problem.lines:
            choices.append((LEAVE_OUT, f"不导入这 {len(problem.lines)} 行"))
        elif problem.key != LEAD_KEY:
            choices.append((LEAVE_OUT, "不读取这张工作表"))
        if problem.answer == Answer.DEPARTMENT:
            choices.append(("是这个部门", [(pk, d.short_name) for pk, d in self.departments.items()]))
        return choices

    @staticmethod
    def _explained(problem: Problem) -> str:
        lines = "、".join(str(line) for line in problem.lines[:12])
        rows = f"，涉及工作表第 {lines}{' 等' if len(problem.lines) > 12 else ''} 行" if problem.lines else ""
        return f"工作表“{problem.sheet}”：{problem.reason}{rows}。"


class PublishForm(forms.Form):
    effective_from = forms.DateField(
        label="生效日期",
        required=False,
        help_text="不填即自今日起生效。首个版本可填文件印发日期。",
        widget=DateInput,
        error_messages={"invalid": "请填写日期，如 2024-12-02。"},
    )


class RetireForm(forms.Form):
    last_day = forms.DateField(
        label="最后一天",
        help_text="这一天仍按本版执行，不能晚于今天。",
        widget=DateInput,
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

    on = forms.DateField(
        label="查看某日有效的版本",
        required=False,
        widget=DateInput,
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
