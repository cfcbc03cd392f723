"""秘密数: its digest first, the number itself later."""

from django import forms

from inspections.draws.seeds import LONGEST


class CommitForm(forms.Form):
    """Filled by static/js/draw-secret.js; left empty, the portal makes the secret."""

    commitment = forms.CharField(required=False, widget=forms.HiddenInput)


class RevealForm(forms.Form):
    secret = forms.CharField(
        label="秘密数",
        max_length=LONGEST,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "请填写提交承诺时保存的秘密数。"},
    )
