"""Forms of the 赋权清单: record, end, prolong, correct, withdraw, file the paper."""

from datetime import date
from typing import Any

from django import forms
from django.utils import timezone

from core.forms import DayField
from departments.models import Town
from scenarios.enums import DelegationList
from scenarios.models import Delegation, PenaltyItem
from scenarios.services.delegations.lists import DEPARTMENTS, LABELS, delegable

ACCEPTED = "application/pdf,image/jpeg,image/png"


class DelegationFilterForm(forms.Form):
    on = DayField(
        label="哪一天（不填即今天）",
        required=False,
        error_messages={"invalid": "请填写日期，如 2024-12-02。"},
    )
    listing = forms.ChoiceField(label="清单", required=False, choices=[("", "两份赋权清单"), *LABELS.items()])
    town = forms.ModelChoiceField(
        label="镇街",
        required=False,
        queryset=Town.objects.all(),
        to_field_name="code",
        empty_label="全部镇街",
    )

    @property
    def day(self) -> date:
        """The day asked for, else today."""
        return self.cleaned_data.get("on") or timezone.localdate()


class ConfirmationFields(forms.Form):
    """承接确认书: the signed paper and its number."""

    confirmation = forms.FileField(
        label="承接确认书",
        required=False,
        help_text="签署后的扫描件，PDF、JPG 或 PNG。可以以后补传。",
        widget=forms.ClearableFileInput(attrs={"accept": ACCEPTED}),
        error_messages={"required": "请选择承接确认书的扫描件。", "empty": "文件是空的，未保存。"},
    )
    confirmation_number = forms.CharField(label="确认书编号", required=False, max_length=64)


class DelegateForm(ConfirmationFields):
    delegation_list = forms.ChoiceField(
        label="赋权清单", widget=forms.RadioSelect, error_messages={"required": "请选择赋权清单。"}
    )
    towns = forms.ModelMultipleChoiceField(
        label="镇街",
        queryset=Town.objects.all(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "请至少选择一个镇街。"},
    )
    items = forms.MultipleChoiceField(
        label="处罚事项",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="都不选即赋予所选清单的全部事项。矩阵列明由部门实施的事项须逐项选择，自起始日期起改由镇街实施。",
    )
    valid_from = DayField(
        label="起始日期",
        help_text="承接确认书签署之日。",
        error_messages={"required": "请填写起始日期。", "invalid": "请填写日期，如 2024-12-02。"},
    )
    valid_until = DayField(
        label="截止日期",
        required=False,
        help_text="不填即长期有效。",
        error_messages={"invalid": "请填写日期，如 2026-12-31。"},
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.offered = delegable()
        listed = {listing: items for listing, items in self.offered.items() if listing != DEPARTMENTS}
        self.fields["delegation_list"].choices = [
            (listing, f"{LABELS[listing]}（{len(listed.get(listing, []))} 项）")
            for listing in DelegationList.values
        ]
        self.fields["items"].choices = [
            (
                LABELS[listing],
                [
                    (
                        str(entry.item.pk),
                        f"{entry.item.name}（{entry.body}）" if entry.body else entry.item.name,
                    )
                    for entry in items
                ],
            )
            for listing, items in self.offered.items()
        ]
        self.fields["valid_from"].initial = timezone.localdate

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        listing = cleaned.get("delegation_list")
        if not listing:
            return cleaned
        chosen = set(cleaned.get("items") or [])
        allowed = {str(entry.item.pk) for entry in self._of(listing) + self._of(DEPARTMENTS)}
        if chosen - allowed:
            self.add_error("items", f"所选事项中有不属于{LABELS[listing]}清单的。")
        if not chosen and not self._of(listing):
            self.add_error("items", f"现行清单没有列入{LABELS[listing]}的事项，请逐项选择。")
        return cleaned

    @property
    def penalty_items(self) -> list[PenaltyItem]:
        """The items ticked, or the whole list when none is."""
        listing = self.cleaned_data["delegation_list"]
        chosen = set(self.cleaned_data["items"])
        if not chosen:
            return [entry.item for entry in self._of(listing)]
        offered = self._of(listing) + self._of(DEPARTMENTS)
        return [entry.item for entry in offered if str(entry.item.pk) in chosen]

    def _of(self, listing: str) -> list:
        return self.offered.get(listing, [])


class ChangeForm(forms.Form):
    """A change of one delegation, and on request of those `alike`: same town, list and period."""

    def __init__(self, *args, delegation: Delegation, alike: int, **kwargs):
        super().__init__(*args, initial=self.initial_of(delegation), **kwargs)
        if alike:
            self.fields["together"] = forms.BooleanField(
                label=f"{delegation.town.name}同一清单、同一期限的其他 {alike} 项一并办理", required=False
            )

    def initial_of(self, delegation: Delegation) -> dict[str, Any]:
        """What the form proposes."""
        return {}


class EndForm(ChangeForm):
    valid_until = DayField(
        label="最后一天",
        help_text="这一天仍由镇街承接，次日起不再承接。",
        error_messages={"required": "请填写最后一天。", "invalid": "请填写日期，如 2026-12-31。"},
    )
    reason = forms.CharField(label="理由", required=False, widget=forms.Textarea(attrs={"rows": 3}))

    def initial_of(self, delegation: Delegation) -> dict[str, Any]:
        return {"valid_until": max(timezone.localdate(), delegation.valid_from)}


class ProlongForm(ConfirmationFields, ChangeForm):
    valid_until = DayField(
        label="新的截止日期",
        required=False,
        help_text="不填即长期有效。",
        error_messages={"invalid": "请填写日期，如 2026-12-31。"},
    )
    reason = forms.CharField(label="理由", required=False, widget=forms.Textarea(attrs={"rows": 3}))

    field_order = ["valid_until", "confirmation", "confirmation_number", "reason"]


class CorrectForm(ChangeForm):
    delegation_list = forms.ChoiceField(label="赋权清单", choices=DelegationList.choices)
    valid_from = DayField(
        label="起始日期",
        error_messages={"required": "请填写起始日期。", "invalid": "请填写日期，如 2024-12-02。"},
    )
    valid_until = DayField(
        label="截止日期",
        required=False,
        help_text="不填即长期有效。",
        error_messages={"invalid": "请填写日期，如 2026-12-31。"},
    )
    reason = forms.CharField(
        label="更正理由",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "请填写更正理由。"},
    )

    def initial_of(self, delegation: Delegation) -> dict[str, Any]:
        return {
            "delegation_list": delegation.delegation_list,
            "valid_from": delegation.valid_from,
            "valid_until": delegation.valid_until,
        }


class WithdrawForm(ChangeForm):
    reason = forms.CharField(
        label="撤销理由",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "请填写撤销理由。"},
    )


class ConfirmForm(ConfirmationFields, ChangeForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["confirmation"].required = True
        self.fields["confirmation"].help_text = "签署后的扫描件，PDF、JPG 或 PNG。"

    def initial_of(self, delegation: Delegation) -> dict[str, Any]:
        return {"confirmation_number": delegation.confirmation_number}
