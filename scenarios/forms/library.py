"""Forms of the item library."""

from django import forms
from django.db.models import QuerySet

from departments.models import Department
from institutions.enums import Feature, InstitutionKind
from scenarios.enums import BasisState
from scenarios.models import CheckItem


class ItemFilterForm(forms.Form):
    q = forms.CharField(
        label="关键词",
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "事项名称或依据"}),
    )
    department = forms.ModelChoiceField(
        label="实施部门",
        required=False,
        queryset=Department.objects.none(),
        to_field_name="code",
        empty_label="全部",
    )
    basis_state = forms.ChoiceField(
        label="依据状态", required=False, choices=[("", "全部"), *BasisState.choices]
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["department"].queryset = Department.objects.filter(check_items__isnull=False).distinct()

    def filter(self, items: QuerySet[CheckItem]) -> QuerySet[CheckItem]:
        """The items meant; none when a value is not known."""
        if not self.is_valid():
            return items.none()
        chosen = self.cleaned_data
        for word in chosen["q"].split():
            items = items.filter(name__icontains=word) | items.filter(basis__icontains=word)
        if chosen["department"]:
            items = items.filter(department=chosen["department"])
        if chosen["basis_state"]:
            items = items.filter(basis_state=chosen["basis_state"])
        return items


class ItemForm(forms.Form):
    """What a check item says; the names are those `edit_check_item` takes."""

    basis = forms.CharField(
        label="依据",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="法律、条款，逐条写明。",
    )
    basis_state = forms.ChoiceField(label="依据状态", choices=BasisState.choices)
    method = forms.CharField(label="检查方式", required=False, widget=forms.Textarea(attrs={"rows": 2}))
    guide = forms.CharField(
        label="现场看什么",
        required=False,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text="执法人员填写检查表时会看到，宜短而具体。",
    )
    required_features = forms.MultipleChoiceField(
        label="适用条件",
        required=False,
        choices=Feature.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text="机构须同时具备所选特征才检查本项；都不选则不限。",
    )
    institution_kinds = forms.MultipleChoiceField(
        label="适用机构类型",
        required=False,
        choices=InstitutionKind.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text="都不选则适用全部类型。",
    )
    rectification_days = forms.IntegerField(
        label="默认整改天数",
        required=False,
        min_value=1,
        max_value=365,
        help_text="不填则用全市默认值。",
        error_messages={
            "invalid": "请填写天数。",
            "min_value": "至少 1 天。",
            "max_value": "不超过 365 天。",
        },
    )
