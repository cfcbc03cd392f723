"""Sorting and paging of list pages, the same on every one."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

PER_PAGE = 20


@dataclass(frozen=True)
class ListPage:
    """One page of a sorted queryset, as templates/components expect it."""

    page: Page
    sort: str

    def __iter__(self):
        return iter(self.page.object_list)


def list_page(
    request: HttpRequest, queryset: QuerySet, *, sorts: Mapping[str, str], default: str, per_page: int = PER_PAGE
) -> ListPage:
    """Sort by `?sort=name` or `?sort=-name` (keys of `sorts` → model field), page by `?page=`.

    Unknown sort keys and page numbers fall back to the default and to the nearest page.
    """
    sort = request.GET.get("sort", default)
    if sort.removeprefix("-") not in sorts:
        sort = default
    field = sorts[sort.removeprefix("-")]
    order = f"-{field}" if sort.startswith("-") else field
    ordered = queryset.order_by(order, "pk")
    return ListPage(Paginator(ordered, per_page).get_page(request.GET.get("page")), sort)
