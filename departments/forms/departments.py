"""Forms of the register of departments."""

from typing import Any, ClassVar

from django import forms
from django.core.validators import RegexValidator

from departments.enums import DepartmentKind
from departments.models import Department, User
from departments.permissions import names_departments
from departments.services import plain_name
from departments.services.register import NAMING, OWN

# /departments/new/ is a page.
CODE = RegexValidator(r"^(?!new$)[a-z][a-z0-9-]*$", "代号用小写字母、数字和“-”，以字母开头。")
TOWN_CODE = RegexValidator(r"^\d{9}(\d{3})?$", "行政区划代码为9位或12位数字。")
HELP = {
    "name": "文书中使用的全称。改名后，原名称保留为别名。",
    "short_name": "列表中使用的简称，如“市民政局”。",
    "order": "在列表中的位置，小的在前；不填排在同类最后。",
    "duties": "在养老服务机构监管中承担的职责。",
    "agency_code": "文书编号中的机关简称，如“晋民”。",
    "contact_section": "负责对接联合检查的科室。",
}


class DepartmentForm(forms.ModelForm):
    """One department, in panels; names and order only for who may change them."""

    PANELS: ClassVar = [
        ("名称", ["name", "short_name", "order"]),
        ("职责与联系", ["duties", "agency_code", "contact_section", "contact_name", "contact_phone"]),
    ]

    class Meta:
        model = Department
        fields = [*NAMING, *OWN]
        help_texts = HELP
        widgets = {"duties": forms.Textarea(attrs={"rows": 4})}

    def __init__(self, *args: Any, user: User, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["order"].help_text = "在列表中的位置，小的在前。"
        if not names_departments(user):
            for name in NAMING:
                del self.fields[name]

    def panels(self) -> list[tuple[str, list[forms.BoundField]]]:
        panels = [
            (title, [self[name] for name in names if name in self.fields]) for title, names in self.PANELS
        ]
        return [(title, bounds) for title, bounds in panels if bounds]

    def validate_unique(self) -> None:
        """Left to the service, which names the department that has the name."""


class NewDepartmentForm(DepartmentForm):
    """A bureau, or a town with its 行政区划代码."""

    PANELS: ClassVar = [
        ("名称", ["kind", "town_code", "name", "short_name", "code", "order"]),
        DepartmentForm.PANELS[1],
    ]

    kind = forms.ChoiceField(
        label="类别",
        choices=DepartmentKind.choices,
        initial=DepartmentKind.BUREAU,
        widget=forms.RadioSelect,
    )
    town_code = forms.CharField(
        label="行政区划代码",
        required=False,
        max_length=12,
        validators=[TOWN_CODE],
        help_text="镇街填写，如 350582101。",
    )
    code = forms.CharField(
        label="代号",
        max_length=32,
        validators=[CODE],
        help_text="网址和留痕中使用，登记后不再变更，如 minzheng、zhen-anhai。",
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["order"].required = False
        self.fields["order"].initial = None
        self.fields["order"].help_text = HELP["order"]

    def clean(self) -> dict[str, Any]:
        chosen = super().clean()
        is_town, code = chosen.get("kind") == DepartmentKind.TOWN, chosen.get("town_code")
        if is_town and not code and "town_code" not in self.errors:
            self.add_error("town_code", "镇街须填写行政区划代码。")
        if not is_town and code:
            self.add_error("town_code", "市级部门不填行政区划代码。")
        return chosen

    def _post_clean(self) -> None:
        """No instance is made here: the service makes it."""


class AliasForm(forms.Form):
    """Another name of a department."""

    alias = forms.CharField(
        label="新的别名", max_length=128, help_text="文件中对该部门的其他称呼；空格、全角半角不作区分。"
    )

    def clean_alias(self) -> str:
        alias = plain_name(self.cleaned_data["alias"])
        if not alias:
            raise forms.ValidationError("请填写别名。")
        return alias
