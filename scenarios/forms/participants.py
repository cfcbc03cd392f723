"""Forms of the departments that take part in a scenario."""

from django import forms
from django.db.models import QuerySet
from django.utils import timezone

from departments.models import Department, Officer


class InviteForm(forms.Form):
    department = forms.ModelChoiceField(
        label="邀请部门",
        queryset=Department.objects.none(),
        to_field_name="code",
        empty_label="请选择",
        error_messages={"required": "请选择要邀请的部门。"},
    )

    def __init__(self, *args, candidates: QuerySet[Department], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["department"].queryset = candidates


class ContactForm(forms.Form):
    """Whom to call in a department; the names are those `name_contact` takes."""

    section = forms.CharField(label="业务科室", required=False, max_length=64, help_text="如 养老服务科。")
    contact_name = forms.CharField(
        label="联系人", max_length=64, error_messages={"required": "请填写联系人。"}
    )
    contact_phone = forms.CharField(
        label="联系电话", required=False, max_length=32, help_text="只给参与部门看，不公开。"
    )
    officers = forms.ModelMultipleChoiceField(
        label="拟派执法人员",
        required=False,
        queryset=Officer.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        help_text="证件在有效期内的在岗人员；不选则由抽取时确定。",
    )

    def __init__(self, *args, department: Department, **kwargs):
        super().__init__(*args, **kwargs)
        available = Officer.objects.available_on(timezone.localdate()).filter(department=department)
        self.fields["officers"].queryset = available.select_related("user")
