from django.contrib.auth.password_validation import MinimumLengthValidator
from django.core.exceptions import ValidationError

CLASSES = {
    "小写字母": str.islower,
    "大写字母": str.isupper,
    "数字": str.isdigit,
    "符号": lambda char: not char.isalnum(),
}
REQUIRED_CLASSES = 3


class LengthValidator(MinimumLengthValidator):
    """Django's, in the words Django 5.2 has no Chinese for."""

    def get_error_message(self):
        return f"密码长度太短，至少{self.min_length}位。"

    get_help_text = get_error_message


class CharacterClassValidator:
    """At least three of lower case, upper case, digits, symbols (等保三级身份鉴别，law.md §8)."""

    def validate(self, password, user=None):
        present = [name for name, test in CLASSES.items() if any(test(char) for char in password)]
        if len(present) < REQUIRED_CLASSES:
            raise ValidationError(self.get_help_text(), code="password_too_simple")

    def get_help_text(self):
        return f"密码至少包含{'、'.join(CLASSES)}中的{REQUIRED_CLASSES}类。"
