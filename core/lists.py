"""Sorting and paging of list pages, the same on every one."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.core.exceptions import FieldDoesNotExist
from django.core.paginator import Page, Paginator
from django.db.models import F, Model, QuerySet
from django.db.models.constants import LOOKUP_SEP
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
    request: HttpRequest,
    queryset: QuerySet,
    *,
    sorts: Mapping[str, str],
    default: str,
    per_page: int = PER_PAGE,
) -> ListPage:
    """Sort by `?sort=name` or `?sort=-name` (keys of `sorts` → model field), page by `?page=`.

    Unknown sort keys and page numbers fall back to the default and to the nearest page. Rows without
    a value come last either way.
    """
    sort = request.GET.get("sort", default)
    if sort.removeprefix("-") not in sorts:
        sort = default
    field = sorts[sort.removeprefix("-")]
    # The key follows the direction, so that an index on (field, id) serves both.
    if not sort.startswith("-"):
        ordered = queryset.order_by(field, "pk")
    elif _may_be_empty(queryset.model, field):
        ordered = queryset.order_by(F(field).desc(nulls_last=True), "-pk")
    else:
        ordered = queryset.order_by(f"-{field}", "-pk")
    return ListPage(Paginator(ordered, per_page).get_page(request.GET.get("page")), sort)


def _may_be_empty(model: type[Model], path: str) -> bool:
    """Whether a row may have no value there; an annotation always may."""
    for name in path.split(LOOKUP_SEP):
        try:
            field = model._meta.get_field(name)
        except FieldDoesNotExist:
            return True
        if field.null:
            return True
        model = field.related_model
    return False
