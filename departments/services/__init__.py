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
    find_department,
    known_names,
    propose_department,
)
from departments.services.naming import is_open_ended, plain_name, split_departments
from departments.services.notifications import mark_read, notify, notify_users
from departments.services.officers import (
    back_on_duty,
    certify,
    go_off_duty,
    issue_certificate,
    register_officer,
)
from departments.services.posts import appoint, dismiss, give_post, take_post
from departments.services.register import (
    add_alias,
    change_department,
    create_department,
    enter_department,
    register_alias,
    remove_alias,
)

__all__ = [
    "KnownNames",
    "Proposal",
    "add_alias",
    "appoint",
    "back_on_duty",
    "certify",
    "change_account",
    "change_department",
    "change_password",
    "create_account",
    "create_department",
    "dismiss",
    "enter_department",
    "find_department",
    "give_post",
    "go_off_duty",
    "is_open_ended",
    "issue_certificate",
    "known_names",
    "mark_read",
    "notify",
    "notify_users",
    "plain_name",
    "propose_department",
    "register_alias",
    "register_officer",
    "remove_alias",
    "reset_password",
    "set_active",
    "split_departments",
    "take_post",
    "temporary_password",
]
