"""Forms of the item library."""

from collections.abc import Iterable

from django import forms
from django.db.models import Q, QuerySet

from core.forms import DayField
from departments.models import Department
from institutions.enums import Feature, InstitutionKind
from scenarios.enums import BasisState, VersionState
from scenarios.models import CheckItem, MatrixRow, PenaltyItem, PublishedItem

IN_USE, RETIRED, ALL = "", "retired", "all"


class LibraryFilterForm(forms.Form):
    """What check and penalty items are looked for by."""

    q = forms.CharField(
        label="关键词",
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "事项名称、法律法规或依据"}),
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
    use = forms.ChoiceField(
        label="使用", required=False, choices=[(IN_USE, "在用"), (RETIRED, "已停用"), (ALL, "全部")]
    )

    def filter(self, items: QuerySet) -> QuerySet:
        """The items meant; none when a value is not known."""
        if not self.is_valid():
            return items.none()
        chosen = self.cleaned_data
        for word in chosen["q"].split():
            items = items.filter(
                Q(name__icontains=word)
                | Q(law__icontains=word)
                | Q(article__icontains=word)
                | Q(basis__icontains=word)
            )
        if chosen["department"]:
            items = self.of(items, chosen["department"])
        if state := chosen.get("basis_state"):
            items = items.filter(basis_state=state)
        use = chosen.get("use", IN_USE)
        if use != ALL:
            items = items.filter(retired_at__isnull=use == IN_USE)
        return items

    @staticmethod
    def of(items: QuerySet, department: Department) -> QuerySet:
        """Those of a department."""
        return items.filter(department=department)


class ItemFilterForm(LibraryFilterForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        owners = CheckItem.objects.order_by().values("department")
        self.fields["department"].queryset = Department.objects.filter(pk__in=owners)


class PenaltyFilterForm(LibraryFilterForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        field = self.fields["department"]
        field.label = "处罚部门"
        in_force = MatrixRow.objects.filter(version__state=VersionState.PUBLISHED).order_by()
        registered = PenaltyItem.objects.order_by()
        field.queryset = Department.objects.filter(
            Q(pk__in=in_force.values("penalty_department")) | Q(pk__in=registered.values("department"))
        )

    @staticmethod
    def of(items: QuerySet, department: Department) -> QuerySet:
        """Those it implements by the versions in force, or registered itself."""
        implemented = PenaltyItem.objects.filter(
            rows__penalty_department=department, rows__version__state=VersionState.PUBLISHED
        )
        return items.filter(Q(pk__in=implemented.values("pk")) | Q(department=department))


class TextForm(forms.Form):
    """What the law says to an item, of either kind."""

    law = forms.CharField(
        label="法律法规",
        required=False,
        help_text="主要依据的名称，如《中华人民共和国消防法》。",
    )
    article = forms.CharField(
        label="条款",
        required=False,
        help_text="如 第六十条第一款第三项。",
    )
    basis = forms.CharField(
        label="依据",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="条文内容；另有其他依据的，逐条写明。",
    )
    basis_state = forms.ChoiceField(
        label="依据状态", choices=BasisState.choices, initial=BasisState.UNVERIFIED
    )


class ItemForm(TextForm):
    """What a check item says; the names are those `edit_check_item` takes."""

    content = forms.CharField(
        label="检查内容",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="检查什么，向社会公开。",
    )
    method = forms.CharField(label="检查方式", required=False, widget=forms.Textarea(attrs={"rows": 2}))
    procedure = forms.CharField(
        label="检查流程",
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="从告知到公开，一步一行，向社会公开。",
    )
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
    mandatory = forms.BooleanField(
        label="必查事项",
        required=False,
        help_text="联合检查中逾期未勾选时，牵头部门可按必查事项计入。",
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


class PenaltyForm(TextForm):
    """What a penalty item says; the names are those `edit_penalty_item` takes."""

    penalty_range = forms.CharField(
        label="处罚种类与幅度", required=False, widget=forms.Textarea(attrs={"rows": 4})
    )


class RegisteringForm(forms.Form):
    """Name and keeper of a new item, above what it says."""

    name = forms.CharField(
        label="事项名称",
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "请填写事项名称。"},
        help_text="登记后不能更改，导入的清单按名称认事项。",
    )
    department = forms.ModelChoiceField(
        label="登记部门", queryset=Department.objects.none(), to_field_name="code", empty_label=None
    )

    def __init__(self, *args, departments: Iterable[Department], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["department"].queryset = Department.objects.filter(pk__in=[d.pk for d in departments])


class NewItemForm(RegisteringForm, ItemForm):
    pass


class NewPenaltyForm(RegisteringForm, PenaltyForm):
    pass


class PublicFilterForm(forms.Form):
    """What a stranger may ask of the published list."""

    q = forms.CharField(
        label="关键词",
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "事项、依据或处罚"}),
    )
    department = forms.ModelChoiceField(
        label="实施部门",
        required=False,
        queryset=Department.objects.none(),
        to_field_name="code",
        empty_label="全部",
    )
    on = DayField(label="施行日期", required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        owners = PublishedItem.objects.exclude(version__state=VersionState.DRAFT).order_by()
        self.fields["department"].queryset = Department.objects.filter(pk__in=owners.values("department"))
