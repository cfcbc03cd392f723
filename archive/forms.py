"""What the archive's pages ask for."""

from django import forms
from django.db.models import QuerySet

from archive import trail
from archive.history import EVENTS
from core.days import within_days
from core.forms import DayField
from departments.models import Department, Town
from ledger.models import Chain, Entry
from scenarios.models import CheckItem


class SearchForm(forms.Form):
    """Narrows whichever results are open."""

    tab = forms.CharField(required=False, widget=forms.HiddenInput)
    institution = forms.UUIDField(required=False, widget=forms.HiddenInput)
    q = forms.CharField(label="机构、事实或事项", required=False, max_length=100)
    department = forms.ModelChoiceField(
        label="部门", queryset=Department.objects.all(), required=False, empty_label="全部部门"
    )
    town = forms.ModelChoiceField(
        label="镇街", queryset=Town.objects.all(), required=False, empty_label="全部镇街"
    )
    item = forms.ModelChoiceField(
        label="检查事项", queryset=CheckItem.objects.all(), required=False, empty_label="全部事项"
    )
    since = DayField(label="日期自", required=False)
    until = DayField(label="日期至", required=False)


class DisclosureFilterForm(forms.Form):
    """Narrows a tab of the publications."""

    tab = forms.CharField(required=False, widget=forms.HiddenInput)
    q = forms.CharField(label="机构名称", required=False, max_length=100)
    town = forms.ModelChoiceField(
        label="镇街", queryset=Town.objects.all(), required=False, empty_label="全部镇街"
    )
    overdue = forms.BooleanField(label="仅看超期", required=False)


class PublicFilterForm(forms.Form):
    """What a stranger may look for."""

    q = forms.CharField(label="机构名称", required=False, max_length=100)
    town = forms.ModelChoiceField(
        label="镇街", queryset=Town.objects.all(), required=False, empty_label="全部镇街"
    )
    since = DayField(label="公示日期自", required=False)
    until = DayField(label="日期至", required=False)


# What the events of an app are about, by the app.
ABOUT = {
    "departments": "账号与部门",
    "scenarios": "矩阵与赋权",
    "institutions": "机构名录",
    "inspections": "联合检查",
    "penalties": "处罚",
    "archive": "公示与审计",
}
KINDS = {events.__module__.partition(".")[0]: events for events in EVENTS}


class PeriodForm(forms.Form):
    """From one day to another, both included."""

    since = DayField(label="日期自", required=False)
    until = DayField(label="日期至", required=False)

    def within(self, rows: QuerySet, moment: str) -> QuerySet:
        return within_days(rows, moment, self.cleaned_data["since"], self.cleaned_data["until"])

    def said(self) -> dict[str, str]:
        """What was chosen, as it was typed."""
        return {name: value for name in self.fields if (value := self.data.get(name, ""))}


class TrailFilterForm(PeriodForm):
    """Which entries: `TrailFilterForm(request.GET).filter(entries)`."""

    actor = forms.CharField(
        label="经办人",
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "姓名或用户名"}),
    )
    kind = forms.ChoiceField(label="事项", required=False)
    subject = forms.CharField(
        label="对象",
        required=False,
        max_length=128,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "人员、部门、机构、检查名称"}),
    )

    field_order = ["actor", "kind", "subject", "since", "until"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        groups = [
            (ABOUT[app], [(app, f"全部{ABOUT[app]}事项"), *events.choices]) for app, events in KINDS.items()
        ]
        self.fields["kind"].choices = [("", "全部"), *groups]

    def filter(self, entries: QuerySet[Entry]) -> QuerySet[Entry]:
        if not self.is_valid():
            return entries.none()
        chosen = self.cleaned_data
        if chosen["actor"]:
            entries = entries.filter(actor__in=trail.actors_named(chosen["actor"]))
        if chosen["kind"] in KINDS:
            entries = entries.filter(kind__in=KINDS[chosen["kind"]].values)
        elif chosen["kind"]:
            entries = entries.filter(kind=chosen["kind"])
        if chosen["subject"]:
            chains = Chain.objects.filter(subject__in=trail.subjects_named(chosen["subject"]))
            entries = entries.filter(chain__in=list(chains))
        return self.within(entries, "at")


class LoginFilterForm(PeriodForm):
    """Which logins, failed or not."""

    q = forms.CharField(
        label="用户名或网络地址",
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs={"type": "search"}),
    )

    field_order = ["q", "since", "until"]

    def filter(self, rows: QuerySet) -> QuerySet:
        if not self.is_valid():
            return rows.none()
        if word := self.cleaned_data["q"]:
            rows = rows.filter(username__icontains=word) | rows.filter(ip_address__startswith=word)
        return self.within(rows, "attempt_time")
