"""Who may open a page at all. Every view declares it; a view that does not is refused.

    @public                        nobody needs to log in
    @signed_in                     any account
    @needs(Role.HANDLER, …)        an account holding one of the roles, in any department
    @polled                        besides one of these: asked by an open page, not by a person

Which *objects* an account sees is `QuerySet.visible_to(user)`; what it may do to one is checked
against the object's department or its guardian permission.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from departments.enums import Role

View = TypeVar("View", bound=Callable)


@dataclass(frozen=True)
class Access:
    """What a view asks of its caller. No roles: any account will do."""

    is_public: bool = False
    roles: tuple[Role, ...] = ()


def public(view: View) -> View:
    """Anybody, without login. Works on functions and on the classes behind `as_view()`."""
    view.access = Access(is_public=True)
    return view


def signed_in(view: View) -> View:
    """Any account that is logged in."""
    view.access = Access()
    return view


def needs(*roles: Role) -> Callable[[View], View]:
    """An account that holds one of `roles` in some department (or across all)."""

    def declare(view: View) -> View:
        view.access = Access(roles=roles)
        return view

    return declare


def polled(view: View) -> View:
    """An open page asks this by itself again and again, so an answer is no sign that a person is there.

    Such a request does not renew the login (departments.middleware.RenewalMiddleware).
    """
    view.is_polled = True
    return view


def declared_access(view: Callable) -> Access | None:
    """What the view, or the class behind it, declares; None when it declares nothing."""
    for holder in (view, getattr(view, "cls", None), getattr(view, "view_class", None)):
        access = getattr(holder, "access", None)
        if isinstance(access, Access):
            return access
    return None
