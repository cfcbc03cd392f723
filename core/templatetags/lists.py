"""Tables and lists: the table itself, sorting, paging, filtering."""

from typing import Any
from urllib.parse import urlencode

from django import template
from django.core.paginator import Page
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_block_tag
def table(
    content: SafeString,
    caption: str,
    cards: bool = False,
    id: str = "",
    show_caption: bool = False,
    wide: bool = False,
) -> SafeString:
    return render_to_string(
        "components/table.html",
        {
            "content": content,
            "caption": caption,
            "cards": cards,
            "id": id,
            "show_caption": show_caption,
            "wide": wide,
        },
    )


@register.inclusion_tag("components/sort_header.html", takes_context=True)
def sort_header(context: template.Context, field: str, label: str, numeric: bool = False) -> dict:
    """A column head that sorts; the present order is `listing.sort`, else the query's."""
    current = getattr(context.get("listing"), "sort", None) or context["request"].GET.get("sort", "")
    ascending, descending = current == field, current == f"-{field}"
    return {
        "label": label,
        "numeric": numeric,
        "query": _query(context, sort=f"-{field}" if ascending else field),
        "order": "ascending" if ascending else "descending" if descending else "",
    }


@register.inclusion_tag("components/paging.html", takes_context=True)
def paging(context: template.Context, listing: Any, unit: str = "条") -> dict:
    """`listing` is a core.lists.ListPage or a Django Page."""
    page: Page = getattr(listing, "page", listing)
    paginator = page.paginator
    numbers = paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
    return {
        "page": page,
        "unit": unit,
        "links": [
            {
                "number": n,
                "query": None if n == paginator.ELLIPSIS else _query(context, page=n),
            }
            for n in numbers
        ],
        "previous": _query(context, page=page.number - 1) if page.has_previous() else "",
        "next": _query(context, page=page.number + 1) if page.has_next() else "",
    }


def _query(context: template.Context, **changes: Any) -> str:
    """The present query string with `changes`; a new order starts at the first page."""
    query = context["request"].GET.copy()
    if "sort" in changes:
        query.pop("page", None)
    for key, value in changes.items():
        query[key] = value
    return "?" + query.urlencode()


@register.inclusion_tag("components/filter_bar.html", takes_context=True)
def filter_bar(
    context: template.Context,
    form: Any,
    total: int | None = None,
    unit: str = "条",
    export_url: str = "",
    target: str = "",
) -> dict:
    request = context["request"]
    given = {key for key, value in request.GET.items() if value and key not in ("sort", "page")}
    # A hidden field says which tab is filtered: it narrows nothing, and clearing the filter keeps it.
    hidden = {field.name: field.value() for field in form.hidden_fields() if field.value()}
    return {
        "form": form,
        "clear_url": f"{request.path}?{urlencode(hidden)}" if hidden else request.path,
        "total": total,
        "unit": unit,
        "export_url": export_url,
        "query": request.GET.urlencode(),
        "target": target,
        "path": request.path,
        "sort": request.GET.get("sort", ""),
        "filtered": bool(given & (set(form.fields) - set(hidden))),
    }
