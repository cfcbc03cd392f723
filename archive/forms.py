"""What the archive's pages ask for."""

from django import forms

from core.forms import DateInput
from departments.models import Department, Town
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
    since = forms.DateField(label="日期自", required=False, widget=DateInput)
    until = forms.DateField(label="日期至", required=False, widget=DateInput)


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
    since = forms.DateField(label="公示日期自", required=False, widget=DateInput)
    until = forms.DateField(label="日期至", required=False, widget=DateInput)
