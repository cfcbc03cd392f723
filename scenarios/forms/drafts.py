"""Forms of scenarios and versions made by hand."""

from collections.abc import Iterable
from itertools import groupby

from django import forms
from django.db.models import Q, QuerySet

from departments.models import Department, Sector
from scenarios.enums import DelegationList, RowPart, VersionState
from scenarios.forms.library import ItemFilterForm
from scenarios.models import CheckItem, MatrixRow, PenaltyItem, Scenario
from scenarios.services.drafting import BODIES_OF_TOWNS, Line

TOWNS, DEPARTMENT = "towns:", "department:"


class NewScenarioForm(forms.Form):
    name = forms.CharField(
        label="主题",
        max_length=128,
        help_text="如 养老服务机构食品安全监管一件事。",
        error_messages={"required": "请填写主题。"},
    )
    lead_department = forms.ModelChoiceField(
        label="牵头部门", queryset=Department.objects.none(), to_field_name="code", empty_label=None
    )

    def __init__(self, *args, departments: Iterable[Department], **kwargs):
        super().__init__(*args, **kwargs)
        field = self.fields["lead_department"]
        field.queryset = Department.objects.filter(pk__in=[department.pk for department in departments])


class PlacedForm(forms.Form):
    """Where in the matrix something stands."""

    situation = forms.CharField(
        label="一件事情形",
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "请填写一件事情形。"},
        help_text="如 对养老机构食品安全的监管。",
    )
    sector = forms.ModelChoiceField(
        label="条线",
        queryset=Sector.objects.all(),
        empty_label="请选择",
        error_messages={"required": "请选择条线。"},
    )


class AddItemsForm(PlacedForm):
    """Items of the library to list, all under one situation; their penalties are chosen line by line."""

    items = forms.ModelMultipleChoiceField(
        label="检查事项",
        queryset=CheckItem.objects.in_use(),
        error_messages={"required": "请至少勾选一项检查事项。"},
    )


class PickItemsForm(ItemFilterForm):
    """What the library is searched by when items are picked; retired ones are never offered."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        del self.fields["use"], self.fields["basis_state"]


class CopyRowsForm(forms.Form):
    rows = forms.ModelMultipleChoiceField(
        label="事项行",
        queryset=MatrixRow.objects.filter(version__state=VersionState.PUBLISHED),
        error_messages={"required": "请至少勾选一行。"},
    )


class PickRowsForm(forms.Form):
    """What the rows of versions in force are searched by."""

    q = forms.CharField(
        label="关键词",
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "检查事项或处罚事项"}),
    )
    scenario = forms.ModelChoiceField(
        label="一件事", required=False, queryset=Scenario.objects.none(), empty_label="全部"
    )
    department = forms.ModelChoiceField(
        label="检查部门",
        required=False,
        queryset=Department.objects.none(),
        to_field_name="code",
        empty_label="全部",
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        in_force = MatrixRow.objects.filter(version__state=VersionState.PUBLISHED).order_by()
        self.fields["scenario"].queryset = Scenario.objects.filter(versions__state=VersionState.PUBLISHED)
        self.fields["department"].queryset = Department.objects.filter(
            pk__in=in_force.values("check_department")
        )

    def filter(self) -> QuerySet[MatrixRow]:
        """The rows meant; none when a value is not known."""
        rows = MatrixRow.objects.filter(version__state=VersionState.PUBLISHED, part=RowPart.IMPLEMENTING)
        if not self.is_valid():
            return rows.none()
        chosen = self.cleaned_data
        for word in chosen["q"].split():
            rows = rows.filter(Q(check_text__icontains=word) | Q(penalty_text__icontains=word))
        if chosen["scenario"]:
            rows = rows.filter(version__scenario=chosen["scenario"])
        if chosen["department"]:
            rows = rows.filter(check_department=chosen["department"])
        return rows


class LineForm(PlacedForm):
    """One line of a draft; items no longer in use are offered only where they stand already."""

    check_item = forms.TypedChoiceField(
        label="检查事项",
        error_messages={"required": "请选择检查事项。"},
        help_text="由哪个部门检查随事项而定。",
    )
    penalty_item = forms.TypedChoiceField(label="处罚事项", required=False)
    body = forms.ChoiceField(label="处罚实施主体", required=False)
    as_library = forms.BooleanField(
        label="改用事项库的文字", required=False, help_text="不勾选则保留这一行原来印的文字。"
    )
    place = forms.IntegerField(
        label="排在第几行",
        min_value=1,
        error_messages={"min_value": "从第 1 行起。"},
    )

    def __init__(self, *args, line: Line, **kwargs):
        row = line.row
        kwargs.setdefault(
            "initial",
            {
                "situation": row.situation,
                "sector": row.sector_id,
                "check_item": row.check_item_id,
                "penalty_item": row.penalty_item_id,
                "body": self._body_of(row),
                "place": line.was + 1,
            },
        )
        super().__init__(*args, **kwargs)
        items = CheckItem.objects.filter(Q(retired_at=None) | Q(pk=row.check_item_id))
        self.items = {item.pk: item for item in items.select_related("department")}
        penalties = PenaltyItem.objects.filter(Q(retired_at=None) | Q(pk=row.penalty_item_id))
        self.penalties = {penalty.pk: penalty for penalty in penalties.order_by("name")}
        self.departments = {department.code: department for department in Department.objects.all()}
        by_department = groupby(self.items.values(), key=lambda item: item.department.short_name)
        self.fields["check_item"].choices = [
            ("", "请选择"),
            *((name, [(item.pk, item.name) for item in group]) for name, group in by_department),
        ]
        self.fields["check_item"].coerce = lambda pk: self.items[int(pk)]
        self.fields["penalty_item"].choices = [
            ("", "未列处罚"),
            *((penalty.pk, penalty.name) for penalty in self.penalties.values()),
        ]
        self.fields["penalty_item"].coerce = lambda pk: self.penalties[int(pk)]
        self.fields["penalty_item"].empty_value = None
        self.fields["body"].choices = [
            ("", "未列处罚"),
            ("机构所在镇街", [(f"{TOWNS}{listing}", name) for listing, name in BODIES_OF_TOWNS.items()]),
            (
                "部门",
                [(f"{DEPARTMENT}{d.code}", d.short_name) for d in self.departments.values()],
            ),
        ]

    @property
    def change(self) -> dict:
        """What `change_line` takes."""
        given = dict(self.cleaned_data)
        kind, _, key = given.pop("body").partition(":")
        return given | {
            "penalty_department": self.departments[key] if f"{kind}:" == DEPARTMENT else None,
            "delegation_list": DelegationList(key) if f"{kind}:" == TOWNS else "",
        }

    @staticmethod
    def _body_of(row: MatrixRow) -> str:
        if row.penalty_department:
            return f"{DEPARTMENT}{row.penalty_department.code}"
        return f"{TOWNS}{row.delegation_list}" if row.delegation_list else ""
