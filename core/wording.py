"""What Django's form fields say when a value is missing or wrong, in the portal's own words.

Django's translation speaks of variables and fields (“确保该变量包含不超过 128 字符”); the people who fill
these forms are no programmers. A field's own `error_messages` still come first.
"""

from django import forms
from django.core import validators

SAID_BY_FIELDS: dict[type[forms.Field], dict[str, str]] = {
    forms.Field: {"required": "请填写。"},
    forms.IntegerField: {"invalid": "请填写整数。"},
    forms.DecimalField: {"invalid": "请填写数字。"},
    forms.DateField: {"invalid": "请填写日期，如 2025-03-01。"},
    forms.DateTimeField: {"invalid": "请填写日期和时间，如 2025-03-01 17:00。"},
    forms.ChoiceField: {"required": "请选择。", "invalid_choice": "请在选项中选择。"},
    forms.MultipleChoiceField: {"required": "请选择。", "invalid_choice": "请在选项中选择。"},
    forms.ModelChoiceField: {"required": "请选择。", "invalid_choice": "请在选项中选择。"},
    forms.ModelMultipleChoiceField: {"required": "请选择。", "invalid_choice": "请在选项中选择。"},
    forms.FileField: {"required": "请选择文件。", "empty": "文件是空的，请另选一个。"},
}
SAID_BY_VALIDATORS: dict[type, str] = {
    validators.MaxLengthValidator: "最多 %(limit_value)d 个字，现有 %(show_value)d 个字。",
    validators.MinLengthValidator: "至少 %(limit_value)d 个字，现有 %(show_value)d 个字。",
    validators.ProhibitNullCharactersValidator: "含有不可见的控制字符，请删去。",
    validators.MaxValueValidator: "不能大于 %(limit_value)s。",
    validators.MinValueValidator: "不能小于 %(limit_value)s。",
}


def teach() -> None:
    """Put these words in the place of Django's, for every form of this process."""
    for field, messages in SAID_BY_FIELDS.items():
        field.default_error_messages = {**field.default_error_messages, **messages}
    for validator, message in SAID_BY_VALIDATORS.items():
        validator.message = message
