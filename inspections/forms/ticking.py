"""What is sent from the tick board."""

from django import forms


class TickForm(forms.Form):
    ticked = forms.BooleanField(label="检查此项", required=False)
    note = forms.CharField(label="备注", required=False, max_length=500)
    rev = forms.IntegerField(min_value=0)


def seen_revs(values: list[str]) -> dict[int, int]:
    """`["12:3", …]`, what the clerk's page showed, as {tick: rev}; anything else is passed over."""
    revs = {}
    for value in values:
        tick, _, rev = value.partition(":")
        if tick.isdecimal() and rev.isdecimal():
            revs[int(tick)] = int(rev)
    return revs
