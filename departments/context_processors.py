from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.functional import cached_property

from departments.models import Department, User


@dataclass
class Acting:
    """Who is at work and for whom, for the top bar."""

    user: User

    @property
    def department(self) -> Department | None:
        return self.user.own_department

    @property
    def roles_display(self) -> str:
        """Distinct role names, in the order of the posts, e.g. 经办、负责人."""
        return "、".join(dict.fromkeys(post.get_role_display() for post in self.user.held_posts))

    @cached_property
    def unread_count(self) -> int:
        return self.user.notifications.filter(read_at=None).count()


def acting(request: HttpRequest) -> dict[str, Acting | None]:
    user = getattr(request, "user", None)
    return {"acting": Acting(user) if user is not None and user.is_authenticated else None}
