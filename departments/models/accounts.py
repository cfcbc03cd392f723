"""Accounts and the posts they hold."""

from functools import cached_property

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.utils import timezone

from departments.enums import GLOBAL_ROLES, OVERSEEING_ROLES, SEPARATE_ROLES, Role
from departments.models.departments import Department


class UserQuerySet(models.QuerySet):
    def visible_to(self, user: "User") -> "UserQuerySet":
        """Administrators and auditors see every account, a 部门管理员 those with a post in their departments."""
        if user.holds(Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDITOR):
            return self
        administered = user.departments_as(Role.DEPARTMENT_ADMIN)
        held = Post.objects.filter(user=models.OuterRef("pk"), department__in=administered)
        return self.filter(models.Exists(held))


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):
    def create_user(self, username: str, password: str | None = None, **fields) -> "User":
        """An account; without a password nobody can log in to it."""
        user = self.model(username=self.model.normalize_username(username), **fields)
        user.set_password(password)
        user.save()
        return user

    def create_superuser(self, username: str, password: str | None = None, **fields) -> "User":
        """Django's `createsuperuser`: the first 安全管理员 of a new installation, who appoints everybody else."""
        user = self.create_user(username, password, **fields)
        Post.objects.create(user=user, role=Role.SECURITY_ADMIN)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """An account of one person. What it may do follows from its posts, never from is_superuser."""

    username = models.CharField("用户名", max_length=64, unique=True)
    name = models.CharField("姓名", max_length=64)
    phone = models.CharField("手机", max_length=32, blank=True)
    is_active = models.BooleanField("启用", default=True)
    must_change_password = models.BooleanField("下次登录须改密码", default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["name"]

    objects = UserManager()

    def __str__(self) -> str:
        return self.name

    @property
    def key(self) -> str:
        """How the ledger names this account: never the person's name."""
        return f"user:{self.pk}"

    @property
    def subject(self) -> str:
        """The subject of this account's own ledger chain."""
        return f"account:{self.pk}"

    @cached_property
    def held_posts(self) -> list["Post"]:
        """Every post of this account with its department; one query per request."""
        return list(self.posts.select_related("department__town").order_by("department__order", "pk"))

    @property
    def own_department(self) -> "Department | None":
        """The department this account acts for: that of its first post."""
        return next((post.department for post in self.held_posts if post.department_id), None)

    def departments_as(self, *roles: Role) -> list["Department"]:
        """Departments in which this account holds one of `roles` (any post when none is given)."""
        held = {}
        for post in self.held_posts:
            if post.department_id and (not roles or post.role in roles):
                held[post.department_id] = post.department
        return list(held.values())

    def holds(self, *roles: Role, department: "Department | None" = None) -> bool:
        """Whether the account holds one of `roles`, in `department` when given."""
        return any(
            post.role in roles and (department is None or post.department_id == department.pk)
            for post in self.held_posts
        )

    @property
    def oversees(self) -> bool:
        """督查 and 审计管理员 see everything and change nothing."""
        return self.holds(*OVERSEEING_ROLES)


class Post(models.Model):
    """岗位: person × department × role; the global roles stand without a department."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="posts")
    department = models.ForeignKey(
        Department, on_delete=models.CASCADE, null=True, blank=True, related_name="posts"
    )
    role = models.CharField("岗位", max_length=20, choices=Role)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "department", "role"], nulls_distinct=False, name="departments_one_post_each"
            ),
            models.CheckConstraint(
                condition=Q(role__in=GLOBAL_ROLES, department__isnull=True)
                | (~Q(role__in=GLOBAL_ROLES) & Q(department__isnull=False)),
                name="departments_global_roles_have_no_department",
            ),
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(role__in=SEPARATE_ROLES),
                name="departments_one_of_three_administrators",
            ),
        ]

    def __str__(self) -> str:
        return (
            f"{self.department.short_name} {self.get_role_display()}"
            if self.department
            else self.get_role_display()
        )
