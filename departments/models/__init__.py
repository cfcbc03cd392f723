"""Who we are: towns, departments, sectors, accounts, posts, officers, notifications."""

from departments.models.accounts import Post, User
from departments.models.departments import Department, DepartmentAlias, Sector, Town
from departments.models.notifications import Delivery, Notification
from departments.models.officers import CertificateWarning, DutyChange, Officer

__all__ = [
    "CertificateWarning",
    "Delivery",
    "Department",
    "DepartmentAlias",
    "DutyChange",
    "Notification",
    "Officer",
    "Post",
    "Sector",
    "Town",
    "User",
]
