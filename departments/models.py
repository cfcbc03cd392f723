"""Who we are: towns, departments, sectors, accounts, posts, officers, notifications."""

from datetime import date
from functools import cached_property

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import Group, PermissionsMixin
from django.db import models
from django.db.models import Q
from django.utils import timezone

from departments.enums import (
    GLOBAL_ROLES,
    OVERSEEING_ROLES,
    DepartmentKind,
    NotificationKind,
    Role,
    Validity,
)


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
        """Django's `createsuperuser`: the first administrator of a new installation, who appoints the others."""
        user = self.create_user(username, password, **fields)
        for role in (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN):
            Post.objects.create(user=user, role=role)
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


class Town(models.Model):
    code = models.CharField("行政区划代码", max_length=12, unique=True)
    name = models.CharField("名称", max_length=64, unique=True)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class DepartmentQuerySet(models.QuerySet):
    def with_certified(self, day: date) -> "DepartmentQuerySet":
        """Each, in order, with `certified`: how many of its officers may inspect on `day`."""
        return self.annotate(
            certified=models.Count(
                "officers",
                filter=Q(
                    officers__is_on_duty=True,
                    officers__user__is_active=True,
                    officers__certified_from__lte=day,
                    officers__certified_until__gte=day,
                ),
            )
        ).order_by(*Department._meta.ordering)  # a grouped query forgets Meta.ordering


class Department(models.Model):
    """A bureau of the city, or a town acting as one (`town` set)."""

    code = models.SlugField("代号", max_length=32, unique=True)
    name = models.CharField("全称", max_length=128, unique=True)
    short_name = models.CharField("简称", max_length=64, unique=True)
    kind = models.CharField("类别", max_length=10, choices=DepartmentKind)
    town = models.OneToOneField(
        Town, on_delete=models.PROTECT, null=True, blank=True, related_name="department", verbose_name="镇街"
    )
    agency_code = models.CharField("机关代字", max_length=32, blank=True)
    contact_name = models.CharField("联系人", max_length=64, blank=True)
    contact_phone = models.CharField("联系电话", max_length=32, blank=True)
    order = models.PositiveSmallIntegerField("排序", default=0)
    group = models.OneToOneField(Group, on_delete=models.PROTECT, related_name="department")

    objects = DepartmentQuerySet.as_manager()

    class Meta:
        ordering = ["order", "code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind=DepartmentKind.TOWN, town__isnull=False)
                | Q(kind=DepartmentKind.BUREAU, town__isnull=True),
                name="departments_town_iff_kind_town",
            ),
        ]

    def __str__(self) -> str:
        return self.short_name

    @property
    def key(self) -> str:
        """How the ledger names this department, and the subject of its own chain."""
        return f"department:{self.code}"

    @property
    def is_town(self) -> bool:
        return self.kind == DepartmentKind.TOWN


class DepartmentAlias(models.Model):
    """Another name documents use for a department, e.g. 消防部门 for 消防救援大队."""

    department = models.ForeignKey(Department, on_delete=models.CASCADE, related_name="aliases")
    alias = models.CharField("别名", max_length=128, unique=True)

    def __str__(self) -> str:
        return self.alias


class Sector(models.Model):
    """条线"""

    name = models.CharField("名称", max_length=64, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


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
        ]

    def __str__(self) -> str:
        return (
            f"{self.department.short_name} {self.get_role_display()}"
            if self.department
            else self.get_role_display()
        )


class OfficerQuerySet(models.QuerySet):
    def certified_on(self, day: date) -> "OfficerQuerySet":
        """Officers on duty whose 执法证 is valid on `day`."""
        return self.filter(
            is_on_duty=True, user__is_active=True, certified_from__lte=day, certified_until__gte=day
        )


class Officer(models.Model):
    """执法人员: an account with a 执法证 of its department."""

    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="officer")
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="officers")
    certificate_number = models.CharField("执法证号", max_length=32, unique=True)
    certified_from = models.DateField("有效期自")
    certified_until = models.DateField("有效期至")
    is_on_duty = models.BooleanField("在岗", default=True)

    objects = OfficerQuerySet.as_manager()

    class Meta:
        ordering = ["department__order", "certificate_number"]
        constraints = [
            models.CheckConstraint(
                condition=Q(certified_until__gte=models.F("certified_from")),
                name="departments_certificate_dates_in_order",
            ),
        ]

    def __str__(self) -> str:
        return self.user.name

    @property
    def key(self) -> str:
        return f"officer:{self.pk}"

    def is_certified_on(self, day: date) -> bool:
        """Whether this officer may take part in an inspection on `day`."""
        return self.is_on_duty and self.certified_from <= day <= self.certified_until

    def validity_on(self, day: date) -> Validity:
        """In words; EXPIRING from CERTIFICATE_WARNING_DAYS before the last day."""
        if not self.is_on_duty:
            return Validity.OFF_DUTY
        if day > self.certified_until:
            return Validity.EXPIRED
        if day < self.certified_from:
            return Validity.NOT_YET
        soon = (self.certified_until - day).days <= settings.CERTIFICATE_WARNING_DAYS
        return Validity.EXPIRING if soon else Validity.VALID


class Notification(models.Model):
    """An in-app message to one account about a subject (`referral:12`); the roof knows its page."""

    recipient = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=10, choices=NotificationKind, default=NotificationKind.WORK)
    text = models.CharField("内容", max_length=300)
    subject = models.CharField("对象键", max_length=128, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["recipient"], condition=Q(read_at__isnull=True), name="departments_unread"),
            models.Index(fields=["recipient", "-created_at"], name="departments_inbox"),
        ]

    def __str__(self) -> str:
        return self.text
