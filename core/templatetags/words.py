"""Words and small signs: states, deadlines, dates, amounts, digests, people."""

from datetime import date, datetime
from typing import Any

from django import template
from django.conf import settings
from django.utils import timezone

from core.money import yuan
from core.workdays import workdays_between

register = template.Library()

# Conventional names of states → tone. Whatever is not named here is neutral.
TONES = {
    "success": (
        "ACTIVE APPROVED ARCHIVED COMPLETED COMPLIANT CORRECTED CURRENT DONE EFFECTIVE FILED IN_FORCE PAID PASSED "
        "ANSWERED CLEAN CONFIRMED PUBLISHED RECTIFIED RESOLVED SERVED SIGNED SUBMITTED TICKED VALID VERIFIED"
    ),
    "info": (
        "ACCEPTED ASSIGNED LAUNCHED DECIDED DRAWN GENERATED GENERATING INVESTIGATING INVITED IN_PROGRESS MERGING "
        "NOTIFIED OPEN OWN_SYSTEM READY REFERRED RUNNING STARTED TAKEN_UP TICKING UNDER_WAY"
    ),
    "warning": (
        "PROBLEMS NOBODY NO_BODY NO_CONTACT NO_DELEGATION "
        "AWAITING AWAITING_APPROVAL DUE EXPIRING MINOR NOT_FILED PENDING PENDING_APPROVAL PROPOSED RECTIFYING "
        "REQUESTED RETURNED SUSPENDED TICKING_CLOSED UNRESOLVED UNVERIFIED WAITING"
    ),
    "danger": (
        "BROKEN EXPIRED FAILED MAJOR NON_COMPLIANT NONCOMPLIANT OVERDUE REFUSED REJECTED REPEALED REVOKED SERIOUS "
        "SILENT STOPPED UNANSWERED"
    ),
}
TONE_OF = {state: tone for tone, states in TONES.items() for state in states.split()}

WARN_WORKDAYS = 2


@register.inclusion_tag("components/icon.html")
def icon(name: str, label: str = "") -> dict:
    return {"name": name, "label": label}


@register.inclusion_tag("components/chip.html")
def chip(value: Any, label: Any = "", tone: str = "") -> dict:
    """A state as a word in its tone; a TextChoices member brings its own label."""
    return {
        "label": label or getattr(value, "label", value),
        "tone": tone or tone_of(value),
    }


def tone_of(value: Any) -> str:
    return TONE_OF.get(str(getattr(value, "value", value)).upper(), "neutral")


@register.inclusion_tag("components/deadline.html")
def deadline(due: date | datetime | None, done: date | datetime | None = None) -> dict:
    """How many working days are left, in words."""
    if not due:
        return {"text": "", "due": None}
    now = timezone.now()
    day = local_day(due)
    text, tone = describe_deadline(day, timezone.localdate(now), local_day(done) if done else None)
    if not done and isinstance(due, datetime) and day == timezone.localdate(now) and due < now:
        text, tone = "今天已到期", "danger"
    return {"text": text, "tone": tone, "due": day}


def describe_deadline(due: date, today: date, done: date | None = None) -> tuple[str, str]:
    """The badge's words and tone. A deadline passed or due over a holiday has no working day to count."""
    if done:
        if done <= due:
            return "按期完成", "success"
        late = workdays_between(due, done)
        return (f"超期{late}个工作日完成" if late else "超期完成"), "danger"
    if today == due:
        return "今天到期", "warning"
    if today > due:
        late = workdays_between(due, today)
        return (f"超期{late}个工作日" if late else "已超期"), "danger"
    left = workdays_between(today, due)
    if not left:
        return "还剩不足1个工作日", "warning"
    return f"还剩{left}个工作日", "warning" if left <= WARN_WORKDAYS else "neutral"


def local_day(value: date | datetime) -> date:
    if isinstance(value, datetime):
        return timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
    return value


@register.inclusion_tag("components/time.html")
def day(value: date | datetime | None) -> dict:
    return {"value": local_day(value) if value else None, "format": "Y-m-d"}


@register.inclusion_tag("components/time.html")
def moment(value: datetime | None) -> dict:
    return {"value": value, "format": "Y-m-d H:i"}


register.filter("yuan", yuan)


@register.inclusion_tag("components/digest.html")
def digest(value: str, length: int = 12, label: str = "摘要") -> dict:
    return {"value": value, "short": str(value or "")[:length], "label": label}


@register.inclusion_tag("components/person.html")
def person(
    name: str,
    number: str = "",
    valid_until: date | None = None,
    role: str = "",
    department: str = "",
    url: str = "",
) -> dict:
    """An officer with the 执法证; warns before and after it expires."""
    left = (valid_until - timezone.localdate()).days if valid_until else None
    return {
        "name": name,
        "number": number,
        "valid_until": valid_until,
        "role": role,
        "department": department,
        "url": url,
        "left": left,
        "expired": left is not None and left < 0,
        "expiring": left is not None and 0 <= left <= settings.CERTIFICATE_WARNING_DAYS,
    }
