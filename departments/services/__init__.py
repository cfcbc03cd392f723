"""Verbs of who we are: the register of departments, posts, accounts, officers, notifications."""

from departments.services.accounts import (
    change_account,
    change_password,
    create_account,
    reset_password,
    set_active,
    temporary_password,
)
from departments.services.lookup import (
    KnownNames,
    Proposal,
    add_alias,
    find_department,
    known_names,
    propose_department,
)
from departments.services.naming import is_open_ended, plain_name, split_departments
from departments.services.notifications import mark_read, notify, notify_users
from departments.services.officers import certify, issue_certificate
from departments.services.posts import appoint, dismiss, give_post, take_post
from departments.services.register import change_department, create_department

__all__ = [
    "KnownNames",
    "Proposal",
    "add_alias",
    "appoint",
    "certify",
    "change_account",
    "change_department",
    "change_password",
    "create_account",
    "create_department",
    "dismiss",
    "find_department",
    "give_post",
    "is_open_ended",
    "issue_certificate",
    "known_names",
    "mark_read",
    "notify",
    "notify_users",
    "plain_name",
    "propose_department",
    "reset_password",
    "set_active",
    "split_departments",
    "take_post",
    "temporary_password",
]
