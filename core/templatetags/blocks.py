"""Blocks of a page: panels, facts, timelines, progress, files, the matrix, charts."""

from collections.abc import Iterable, Mapping
from typing import Any
from zlib import crc32

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

register = template.Library()


@register.inclusion_tag("components/crumb.html")
def crumb(label: str, url: str = "") -> dict:
    return {"label": label, "url": url}


@register.simple_block_tag
def panel(
    content: SafeString,
    title: str = "",
    id: str = "",
    note: str = "",
    action_url: str = "",
    action_label: str = "",
) -> SafeString:
    return render_to_string(
        "components/panel.html",
        {
            "content": content,
            "title": title,
            "id": id or key("panel", title),
            "note": note,
            "action_url": action_url,
            "action_label": action_label,
        },
    )


@register.simple_block_tag
def notice(content: SafeString, tone: str = "info", title: str = "") -> SafeString:
    return render_to_string("components/notice.html", {"content": content, "tone": tone, "title": title})


@register.simple_block_tag
def kv(content: SafeString, label: str = "") -> SafeString:
    return render_to_string("components/kv.html", {"content": content, "label": label})


@register.inclusion_tag("components/kv_item.html")
def kv_item(label: str, value: Any = "", unit: str = "", url: str = "") -> dict:
    return {
        "label": label,
        "value": value,
        "unit": unit,
        "url": url,
        "missing": value is None or value == "",
    }


@register.simple_block_tag
def kv_slot(content: SafeString, label: str) -> SafeString:
    return render_to_string("components/kv_slot.html", {"content": content, "label": label})


@register.inclusion_tag("components/stat.html")
def stat(
    label: str,
    value: Any,
    unit: str = "",
    url: str = "",
    note: str = "",
    tone: str = "",
) -> dict:
    return {
        "label": label,
        "value": value,
        "unit": unit,
        "url": url,
        "note": note,
        "tone": tone,
    }


@register.inclusion_tag("components/tabs.html")
def tabs(items: Iterable, label: str = "栏目") -> dict:
    return {"items": items, "label": label}


@register.inclusion_tag("components/steps.html")
def steps(items: Iterable, label: str = "办理进度") -> dict:
    return {"items": items, "label": label}


@register.inclusion_tag("components/timeline.html")
def timeline(events: Iterable, label: str = "时间线") -> dict:
    return {"events": events, "label": label}


@register.inclusion_tag("components/progress.html")
def progress(done: int, total: int, label: str = "", unit: str = "") -> dict:
    return {
        "done": done,
        "total": total,
        "label": label,
        "unit": unit,
        "percent": percent(done, total),
    }


@register.inclusion_tag("components/job_progress.html")
def job_progress(job: Any, url: str, label: str, unit: str = "") -> dict:
    """A background job that asks for itself again every two seconds while it runs."""
    return {"job": job, "url": url, "label": label, "unit": unit, "id": key("job", url)}


@register.inclusion_tag("components/empty.html")
def empty(title: str, text: str = "", url: str = "", label: str = "") -> dict:
    return {"title": title, "text": text, "url": url, "label": label}


@register.inclusion_tag("components/files.html")
def files(items: Iterable, empty: str = "暂无文件") -> dict:
    return {"items": items, "empty": empty}


@register.inclusion_tag("components/matrix.html")
def matrix(header: list[list], rows: list, caption: str, title_row: list | None = None) -> dict:
    """A table as printed: rows of heading cells, rows of cells, merged ones with rowspan and colspan."""
    return {"header": header, "rows": rows, "caption": caption, "title_row": title_row}


@register.inclusion_tag("components/worklist.html")
def worklist(items: Iterable) -> dict:
    """What waits for somebody, most urgent first; items have title, detail, url and due."""
    return {"items": items}


@register.inclusion_tag("components/tick_board.html")
def tick_board(rows: Iterable, caption: str = "各部门勾选情况") -> dict:
    return {"rows": rows, "caption": caption}


@register.inclusion_tag("components/bar_chart.html")
def bar_chart(rows: Iterable[Mapping], label: str, unit: str = "") -> dict:
    rows = list(rows)
    most = max((row["value"] for row in rows), default=0)
    bars = [{**row, "percent": percent(row["value"], most)} for row in rows]
    return {"bars": bars, "label": label, "unit": unit}


@register.inclusion_tag("components/donut.html")
def donut(rows: Iterable[Mapping], label: str, unit: str = "") -> dict:
    rows = list(rows)
    total = sum(row["value"] for row in rows)
    slices, start = [], 0.0
    for row in rows:
        share = row["value"] * 100 / total if total else 0
        slices.append(
            {
                **row,
                "tone": row.get("tone") or "neutral",
                "share": f"{share:.2f}",
                "offset": f"{-start:.2f}",
                "percent": round(share),
            }
        )
        start += share
    return {"slices": slices, "total": total, "label": label, "unit": unit}


def key(kind: str, *parts: str) -> str:
    """An id for the page, the same on every render."""
    return f"{kind}-{crc32('|'.join(parts).encode()):08x}"


def percent(done: int, total: int) -> int:
    return min(100, done * 100 // total) if total else 0
