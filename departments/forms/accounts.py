"""Forms of accounts, passwords and posts."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db.models import Q, QuerySet

from departments.enums import GLOBAL_ROLES, Role
from departments.models import Department, User
from departments.permissions import departments_administered_by, may_appoint

PASSWORD_RULE = "至少8位，包含小写字母、大写字母、数字、符号中的3类，不含用户名，不用常见密码。"  # noqa: S105 - a sentence
USERNAME = RegexValidator(
    r"^[a-z0-9][a-z0-9_.-]{2,}$", "用户名至少3位，用小写字母、数字和“-”“_”“.”，以字母或数字开头。"
)


class LoginForm(AuthenticationForm):
    """One sentence for a wrong name, a wrong password and a closed account: none is given away."""

    error_messages = {
        "invalid_login": "用户名或密码不正确，或账号已停用。",
        "inactive": "用户名或密码不正确，或账号已停用。",
    }


class PasswordForm(PasswordChangeForm):
    """A person's own new password."""

    error_messages = PasswordChangeForm.error_messages | {
        "password_incorrect": "原密码不正确。",
        "password_mismatch": "两次输入的新密码不一致。",
    }

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["old_password"].label = "原密码"
        self.fields["new_password1"].label = "新密码"
        self.fields["new_password1"].help_text = PASSWORD_RULE
        self.fields["new_password2"].label = "再次输入新密码"
        self.fields["new_password2"].help_text = ""

    def clean_new_password1(self) -> str:
        password = self.cleaned_data["new_password1"]
        if self.user.check_password(password):
            raise ValidationError("新密码不能与原密码相同。")
        return password


class AccountFilterForm(forms.Form):
    """Which accounts: `AccountFilterForm(request.GET, user=…).filter(queryset)`."""

    q = forms.CharField(
        label="关键词",
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "姓名或用户名"}),
    )
    department = forms.ModelChoiceField(
        label="部门",
        required=False,
        queryset=Department.objects.none(),
        to_field_name="code",
        empty_label="全部",
    )
    role = forms.ChoiceField(label="岗位", required=False, choices=[("", "全部"), *Role.choices])
    active = forms.ChoiceField(
        label="状态", required=False, choices=[("", "全部"), ("1", "启用"), ("0", "已停用")]
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["department"].queryset = departments_administered_by(user)

    def filter(self, queryset: QuerySet[User]) -> QuerySet[User]:
        if not self.is_valid():
            return queryset.none()
        chosen = self.cleaned_data
        if chosen["q"]:
            queryset = queryset.filter(Q(name__icontains=chosen["q"]) | Q(username__icontains=chosen["q"]))
        held = {}
        if chosen["department"]:
            held["posts__department"] = chosen["department"]
        if chosen["role"]:
            held["posts__role"] = chosen["role"]
        if held:
            queryset = queryset.filter(**held).distinct()
        if chosen["active"]:
            queryset = queryset.filter(is_active=chosen["active"] == "1")
        return queryset


class PostForm(forms.Form):
    """A post the administrator may give."""

    role = forms.ChoiceField(label="岗位")
    department = forms.ModelChoiceField(
        label="部门", required=False, queryset=Department.objects.none(), empty_label="（不属部门）"
    )

    def __init__(self, *args: Any, actor: User, **kwargs: Any):
        super().__init__(*args, **kwargs)
        departments = departments_administered_by(actor)
        self.fields["department"].queryset = departments
        self.fields["department"].help_text = "系统管理员、安全管理员、审计管理员、督查不属部门，留空。"
        across = [role for role in GLOBAL_ROLES if may_appoint(actor, role, None)]
        if not across:
            self.fields["department"].required = True
            self.fields["department"].empty_label = None
            self.fields["department"].help_text = ""
        within = [role for role in Role if role not in GLOBAL_ROLES and role != Role.OFFICER]
        self.fields["role"].choices = [(role.value, role.label) for role in [*within, *across]]

    def clean(self) -> dict[str, Any]:
        chosen = super().clean()
        role, department = chosen.get("role"), chosen.get("department")
        if role in GLOBAL_ROLES and department:
            self.add_error("department", f"{Role(role).label}不属部门，请留空。")
        if role and role not in GLOBAL_ROLES and not department and "department" not in self.errors:
            self.add_error("department", "请选择部门。")
        return chosen


class AccountForm(forms.ModelForm):
    """A person's name and phone."""

    class Meta:
        model = User
        fields = ["name", "phone"]


class NewAccountForm(PostForm):
    """A new account with its first post."""

    username = forms.CharField(label="用户名", max_length=64, validators=[USERNAME])
    name = forms.CharField(label="姓名", max_length=64)
    phone = forms.CharField(label="手机", max_length=32, required=False)

    field_order = ["username", "name", "phone", "role", "department"]
