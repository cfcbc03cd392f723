"""Forms between a printed matrix and its draft: upload, what the columns mean, questions."""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from django import forms

from core.spreadsheets import Workbook
from departments.models import Department
from scenarios.enums import ColumnRole
from scenarios.services.importing import LEAD_KEY, LONGEST_THEME, Columns
from scenarios.services.importing.headings import SEARCHED_ROWS, Header
from scenarios.services.importing.problems import DEPARTMENT, LEAVE_OUT, Problem
from scenarios.services.importing.questions import INFERRED_KEY

# More choices than this are a drop-down, fewer stand side by side to be read.
MOST_RADIOS = 6
LONGEST_PASTE = 2_000_000


class UploadForm(forms.Form):
    """A file, or a table pasted from the clipboard; with its HTML where the browser hands it over."""

    file = forms.FileField(
        label="文件",
        required=False,
        help_text="Excel 工作簿（.xlsx、.xls）或 .csv，不含宏。",
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx,.xls,.csv,.tsv,.txt,.html,.htm"}),
        error_messages={"empty": "文件是空的，未保存。"},
    )
    text = forms.CharField(
        label="粘贴表格",
        required=False,
        strip=False,
        max_length=LONGEST_PASTE,
        help_text="从 Excel、Word、网页或 PDF 中选中整个表格（含表头）复制，粘贴到这里。",
        widget=forms.Textarea(attrs={"rows": 6, "data-paste-table": "html", "spellcheck": "false"}),
        error_messages={"max_length": "粘贴的内容过长，请存为文件后上传。"},
    )
    html = forms.CharField(required=False, strip=False, max_length=LONGEST_PASTE, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        file, text = given.get("file"), (given.get("text") or "").strip()
        if file and text:
            self.add_error("text", "已选择文件，请清空粘贴的内容，或不选文件。")
        elif not file and not text and not self.errors:
            self.add_error("file", "请选择要导入的文件，或粘贴表格。")
        return given


class HeaderForm(forms.Form):
    """Where the header is: asked by GET, so that the columns below follow at once."""

    sheet = forms.ChoiceField(label="工作表")
    top = forms.IntegerField(label="表头首行", min_value=1, max_value=SEARCHED_ROWS * 10)
    bottom = forms.IntegerField(label="表头末行", min_value=1, max_value=SEARCHED_ROWS * 10)

    def __init__(self, *args: Any, workbook: Workbook, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["sheet"].choices = [(sheet.name, sheet.name) for sheet in workbook.sheets]

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if given.get("top") and given.get("bottom") and given["bottom"] < given["top"]:
            self.add_error("bottom", "不小于表头首行。")
        return given


class ColumnsForm(forms.Form):
    """What each column of a header means; every meaning but 其他 at most once, and one column of items."""

    def __init__(self, header: Header, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.header = header
        for heading in header.headings:
            self.fields[f"column-{heading.place}"] = forms.ChoiceField(
                label=heading.text or "（无标题）", choices=ColumnRole.choices, initial=heading.role
            )

    @property
    def roles(self) -> tuple[ColumnRole, ...]:
        return tuple(
            ColumnRole(self.cleaned_data[f"column-{heading.place}"]) for heading in self.header.headings
        )

    def columns(self, sheet: str) -> Columns:
        return Columns(sheet, self.header.top, self.header.bottom, self.roles)

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if self.errors:
            return given
        seen: dict[str, str] = {}
        for name, role in list(given.items()):
            if role in seen and role != ColumnRole.OTHER:
                self.add_error(
                    name, f"“{ColumnRole(role).label}”已由“{self.fields[seen[role]].label}”一列担任。"
                )
            seen.setdefault(role, name)
        if ColumnRole.CHECK not in seen:
            self.add_error(None, "请指出哪一列是检查事项。")
        return given


class ReviewForm(forms.Form):
    """One answer for each question of an upload, those answered already among them."""

    def __init__(
        self,
        asked: Iterable[Problem],
        departments: Iterable[Department],
        answers: Mapping[str, str],
        theme: str,
        *args: Any,
        **kwargs: Any,
    ):
        super().__init__(*args, **kwargs)
        self.fields["theme"] = forms.CharField(
            label="主题",
            max_length=LONGEST_THEME,
            initial=theme,
            help_text="这份清单是哪一件事；与已有的一件事同名即为它的新版本。",
            error_messages={"required": "请填写主题。", "max_length": f"不超过 {LONGEST_THEME} 个字。"},
        )
        self.departments = [(f"{DEPARTMENT}{each.code}", each.short_name) for each in departments]
        self.problems = {self.name_of(problem): problem for problem in asked}
        for name, problem in self.problems.items():
            choices = self._choices(problem)
            radios = len(choices) <= MOST_RADIOS and not problem.by_department
            self.fields[name] = forms.ChoiceField(
                label=self._label(problem),
                help_text=self._explained(problem),
                choices=choices if radios else [("", "请选择"), *choices],
                widget=forms.RadioSelect if radios else forms.Select,
                initial=answers.get(problem.key) or problem.proposal,
                error_messages={"required": "请选择如何处理。"},
            )

    @staticmethod
    def name_of(problem: Problem) -> str:
        # Keys hold any text of a cell; a field's name must also do as an id. It must not depend on
        # the problem's position, which another administrator's new alias may shift meanwhile.
        return "answer-" + sha256(problem.key.encode()).hexdigest()[:16]

    @property
    def answers(self) -> dict[str, str]:
        """The words given so far, whether or not all are: nothing answered is lost."""
        given = getattr(self, "cleaned_data", {})
        return {problem.key: given[name] for name, problem in self.problems.items() if given.get(name)}

    def hinders(self, still_open: Iterable[Problem]) -> bool:
        """Whether an error concerns a question that still stands: another answer may have settled it."""
        keys = {problem.key for problem in still_open}
        return any(name not in self.problems or self.problems[name].key in keys for name in self.errors)

    def fields_of(self, problems: Iterable[Problem]) -> list[forms.BoundField]:
        return [self[self.name_of(problem)] for problem in problems]

    def _choices(self, problem: Problem) -> list:
        choices: list = [(choice.value, choice.label) for choice in problem.choices]
        if problem.lines and not problem.keeps_rows:
            rows = "这一行" if len(problem.lines) == 1 else f"这 {len(problem.lines)} 行"
            choices.append((LEAVE_OUT, f"不导入{rows}"))
        if problem.by_department:
            likely = {value for value, _ in choices}
            others = [each for each in self.departments if each[0] not in likely]
            choices = [
                *choices[: len(problem.choices)],
                ("是这个部门", others),
                *choices[len(problem.choices) :],
            ]
        return choices

    @staticmethod
    def _label(problem: Problem) -> str:
        if problem.key == LEAD_KEY:
            return "牵头部门" + (f"：{problem.text}" if problem.text else "")
        if problem.text:
            return f"{problem.cell}：{problem.text}"
        return f"{problem.cell}（空白）" if problem.key != INFERRED_KEY else "推断的单元格"

    @staticmethod
    def _explained(problem: Problem) -> str:
        lines = "、".join(str(line) for line in problem.lines[:12])
        several = len(problem.lines) > 1 and not problem.key.startswith("gap:")
        rows = f"，涉及第 {lines}{' 等' if len(problem.lines) > 12 else ''} 行" if several else ""
        return f"{problem.reason}{rows}。"
