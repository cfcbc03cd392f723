"""Forms around a visit: the list's filter, and one signature."""

import base64
import binascii
from datetime import timedelta
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone

from departments.models import Town
from inspections.enums import TaskState
from inspections.services.sheets import Sheet

OPEN = (TaskState.ASSIGNED, TaskState.UNDER_WAY)
DUE = [("", "全部"), ("late", "已超期"), ("week", "7天内到期"), ("later", "7天以后到期")]


class TaskFilterForm(forms.Form):
    """Which visits: `TaskFilterForm(request.GET).filter(queryset)`; an invalid filter shows everything."""

    q = forms.CharField(
        label="关键词",
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "机构名称或信用代码"}),
    )
    state = forms.ChoiceField(label="状态", required=False, choices=[("", "全部"), *TaskState.choices])
    town = forms.ChoiceField(label="镇街", required=False)
    due = forms.ChoiceField(label="期限", required=False, choices=DUE)
    inspection = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["town"].choices = town_choices()

    def filter(self, queryset: QuerySet) -> QuerySet:
        if not self.is_valid():
            return queryset
        chosen = self.cleaned_data
        if word := chosen["q"].strip():
            queryset = queryset.filter(
                Q(institution__name__icontains=word) | Q(institution__uscc__icontains=word)
            )
        if chosen["state"]:
            queryset = queryset.filter(state=chosen["state"])
        if chosen["town"]:
            queryset = queryset.filter(institution__town__code=chosen["town"])
        if chosen["inspection"]:
            queryset = queryset.filter(origins__joint_inspection=chosen["inspection"])
        return queryset.filter(_due(chosen["due"]))


class SignatureForm(forms.Form):
    """One signature from the pad: who signs, which answers they were shown, and the picture."""

    signer = forms.CharField(widget=forms.HiddenInput)
    seen = forms.CharField(widget=forms.HiddenInput, max_length=128)
    signer_name = forms.CharField(
        label="机构代表姓名",
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    image = forms.CharField(
        label="签名", widget=forms.HiddenInput, error_messages={"required": "还没有签名，请在框内签名。"}
    )

    def clean_image(self) -> bytes:
        """The pad's PNG data URL as bytes; anything else is refused."""
        head, _, body = self.cleaned_data["image"].partition(",")
        try:
            if head != "data:image/png;base64":
                raise ValueError
            return base64.b64decode(body, validate=True)
        except (ValueError, binascii.Error):
            raise forms.ValidationError("签名图片无法识别，请重新签名。")


def signers(sheet: Sheet) -> list[dict[str, Any]]:
    """Everybody who may sign, in the order they are asked: officers by department, then the institution."""
    signed = {signature.officer_id: signature for signature in sheet.signatures}
    rows = [
        {
            "key": str(sent.officer_id),
            "name": sent.officer.user.name,
            "department": part.department,
            "officer": sent.officer,
            "signature": signed.get(sent.officer_id),
            "is_certified": sent.officer.is_certified_on(timezone.localdate()),
        }
        for part in sheet.parts
        for sent in part.officers
    ]
    representative = sheet.institution_signature
    rows.append(
        {
            "key": "institution",
            "name": representative.signer_name if representative else "机构代表",
            "department": None,
            "officer": None,
            "signature": representative,
            "is_certified": True,
        }
    )
    return rows


def town_choices() -> list[tuple[str, str]]:
    return [("", "全部"), *Town.objects.values_list("code", "name")]


def _due(choice: str) -> Q:
    today = timezone.localdate()
    week = today + timedelta(days=7)
    return {
        "late": Q(state__in=OPEN, window_until__lt=today),
        "week": Q(state__in=OPEN, window_until__range=(today, week)),
        "later": Q(state__in=OPEN, window_until__gt=week),
    }.get(choice, Q())
