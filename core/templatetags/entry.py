"""What people fill in and confirm: fields, choices, signatures, photos, dialogs."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import template
from django.forms import BoundField
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from core.templatetags.blocks import key

register = template.Library()


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, hint: str = "", width: str = "", either: bool = False) -> dict:
    """Label, help, errors and the control, tied together for screen readers.

    `either` is for one of several fields of which one is needed: it is not called 选填.
    """
    hint = hint or bound.help_text
    described_by = " ".join(
        part
        for part in (
            hint and f"{bound.auto_id}_helptext",
            bound.errors and f"{bound.auto_id}_error",
        )
        if part
    )
    attrs = {} if bound.use_fieldset or not described_by else {"aria-describedby": described_by}
    return {
        "field": bound,
        "control": bound.as_widget(attrs=attrs),
        "hint": hint,
        "described_by": described_by,
        "width": width,
        "optional": not (bound.field.required or either) and bound.widget_type != "checkbox",
    }


@register.inclusion_tag("components/fields.html")
def fields(form: Any) -> dict:
    return {"form": form}


@register.inclusion_tag("components/form_errors.html")
def form_errors(form: Any) -> dict:
    return {"form": form}


@register.inclusion_tag("components/choices.html")
def choices(
    name: str,
    legend: str,
    options: Iterable,
    value: Any = "",
    required: bool = True,
    disabled: bool = False,
) -> dict:
    """Segmented radio buttons; an option is (value, label) or (value, label, tone)."""
    current = "" if value is None else str(value)
    return {
        "name": name,
        "legend": legend,
        "required": required,
        "disabled": disabled,
        "options": [
            {
                "value": option[0],
                "label": option[1],
                "tone": option[2] if len(option) > 2 else "info",
                "checked": str(option[0]) == current,
                "id": f"{name}-{position}",
            }
            for position, option in enumerate(options)
        ],
    }


@register.inclusion_tag("components/signature_pad.html")
def signature_pad(name: str, label: str, signer: str = "", required: bool = True) -> dict:
    return {"name": name, "label": label, "signer": signer, "required": required}


@register.inclusion_tag("components/photo_input.html")
def photo_input(name: str, label: str, multiple: bool = True, required: bool = False, hint: str = "") -> dict:
    return {
        "name": name,
        "label": label,
        "multiple": multiple,
        "required": required,
        "hint": hint,
    }


@register.inclusion_tag("components/confirm.html", takes_context=True)
def confirm(
    context: template.Context,
    label: str,
    url: str,
    title: str,
    text: str = "",
    tone: str = "",
    reason: str = "",
    reason_label: str = "理由",
    reason_required: bool = True,
    fields: Mapping | None = None,
    look: str = "",
    submit: str = "",
    small: bool = False,
    download: bool = False,
    id: str = "",
) -> dict:
    """A button that asks once, saying what it will do, then posts; `download`: the answer is a file."""
    return {
        "csrf_token": context.get("csrf_token"),
        "label": label,
        "url": url,
        "title": title,
        "text": text,
        "tone": tone,
        "reason": reason,
        "reason_label": reason_label,
        "reason_required": reason_required,
        "fields": fields or {},
        "look": look or "secondary",
        "submit": submit or label,
        "small": small,
        "download": download,
        "id": id or key("confirm", url, label, *(str(v) for v in (fields or {}).values())),
    }


@register.inclusion_tag("components/dialog_button.html")
def dialog_button(id: str, label: str, look: str = "secondary", small: bool = False) -> dict:
    return {"id": id, "label": label, "look": look, "small": small}


@register.inclusion_tag("components/dialog_close.html")
def dialog_close(label: str = "取消") -> dict:
    return {"label": label}


@register.simple_block_tag
def dialog(content: SafeString, id: str, title: str) -> SafeString:
    return render_to_string("components/dialog.html", {"content": content, "id": id, "title": title})
