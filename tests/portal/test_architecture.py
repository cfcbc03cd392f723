"""What import-linter cannot see: templates, string references, rooms, declared access."""

import ast
import re
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver

from departments.access import declared_access
from portal.subjects import PAGES

ROOT = Path(settings.BASE_DIR)
# Roof to ground.
HOUSE = [
    "portal",
    "archive",
    "penalties",
    "inspections",
    "scenarios",
    "institutions",
    "departments",
    "ledger",
    "core",
]
RANK = {app: len(HOUSE) - number for number, app in enumerate(HOUSE)}
# URL namespaces that are not called as their app.
NAMESPACES = {"api": "inspections"}
# The front door, and the opener of subject keys, are everybody's.
OPEN_TO_ALL = {"portal:desk", "portal:open"}

ROOMS = {
    "__init__.py",
    "admin",
    "admin.py",
    "api",
    "apps.py",
    "enums",
    "enums.py",
    "forms",
    "forms.py",
    "management",
    "migrations",
    "models",
    "models.py",
    "permissions.py",
    "services",
    "services.py",
    "tasks.py",
    "templatetags",
    "urls",
    "urls.py",
    "views",
    "views.py",
}
# Rooms only one app has, each with its reason; core and portal are ground and roof, not flats.
EXTRA_ROOMS = {
    # who may open what, who is logged in, how good a password must be
    "departments": {"access.py", "context_processors.py", "middleware.py", "passwords.py"},
    # the tabs of the referral list, which are also what waits for whom
    "penalties": {"inbox.py"},
    # the draw as pure functions, which anybody may repeat without the portal
    "inspections": {"draws"},
    # what the archive reads: entries in words, results found again, the auditor's trail; what the public reads:
    # copies, masked
    "archive": {"history.py", "search.py", "trail.py", "snapshots.py", "masking.py"},
}
EMPTY_NAMES = re.compile(r"\b(utils?|helpers?|common|misc)\b")
MOST_LINES = 400


def app_sources():
    for app in HOUSE:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts:
                yield app, path


def app_of(name: str) -> str:
    namespace = name.split(":")[0]
    return NAMESPACES.get(namespace, namespace)


def is_upward(app: str, name: str) -> bool:
    return name not in OPEN_TO_ALL and RANK.get(app_of(name), 0) > RANK[app]


@pytest.mark.parametrize("app", HOUSE[1:])
def test_templates_link_down_only(app):
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sorted((ROOT / "templates" / app).rglob("*.html"))
        for name in re.findall(r"""{%-?\s*url\s+["']([\w:-]+)["']""", path.read_text())
        if is_upward(app, name)
    ]
    assert found == []


def test_python_reverses_down_only():
    found = []
    for app, path in app_sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                name = node.value
                if re.fullmatch(r"[a-z]+:[a-z_]+", name) and app_of(name) in RANK and is_upward(app, name):
                    found.append(f"{path.relative_to(ROOT)}: {name}")
    assert found == []


def test_models_refer_down_only():
    found = [
        f"{model._meta.label}.{field.name}"
        for app in HOUSE
        for model in apps.get_app_config(app).get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if field.is_relation and not field.auto_created and field.related_model is not None
        if RANK.get(field.related_model._meta.app_label, 0) > RANK[app]
    ]
    assert found == []


def test_nobody_looks_a_model_up_by_name_or_listens_to_signals():
    found = [
        str(path.relative_to(ROOT))
        for _, path in app_sources()
        if re.search(r"get_model\(|django\.dispatch|models\.signals|GenericForeignKey", path.read_text())
    ]
    assert found == []


def test_only_permission_rooms_grant_and_revoke():
    found = [
        str(path.relative_to(ROOT))
        for _, path in app_sources()
        if re.search(r"\b(assign_perm|remove_perm)\b", path.read_text()) and path.name != "permissions.py"
    ]
    assert found == []


@pytest.mark.parametrize("app", HOUSE[1:-1])
def test_every_app_has_the_same_rooms(app):
    rooms = {path.name for path in (ROOT / app).iterdir() if path.name != "__pycache__"}
    assert rooms - ROOMS - EXTRA_ROOMS.get(app, set()) == set()


def test_the_draw_needs_neither_django_nor_a_database():
    pure = sys.stdlib_module_names | {"inspections.draws", "core.canonical"}
    found = [
        f"{path.name}: {name}"
        for path in sorted((ROOT / "inspections" / "draws").glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else [n.name for n in node.names])
        if name not in pure and name.rsplit(".", 1)[0] not in pure
    ]
    assert found == []


def test_no_file_is_called_nothing():
    found = [path for _, path in app_sources() if EMPTY_NAMES.search(path.stem)]
    assert found == []


def test_no_file_is_too_long_to_read():
    found = {
        str(path.relative_to(ROOT)): lines
        for _, path in app_sources()
        if (lines := len(path.read_text().splitlines())) > MOST_LINES
    }
    assert found == {}


def test_no_form_takes_a_day_without_bounds():
    unbounded = {
        str(path.relative_to(ROOT))
        for app in HOUSE
        for path in (ROOT / app).rglob("*.py")
        if re.search(r"forms\.Date(Time)?Field\(", path.read_text())
    }
    assert unbounded == set()


def test_every_view_declares_who_may_open_it():
    undeclared = [
        name for name, pattern in routes(get_resolver()) if declared_access(pattern.callback) is None
    ]
    assert undeclared == []


def test_every_route_has_a_name():
    assert [str(pattern.pattern) for name, pattern in routes(get_resolver()) if name.endswith("None")] == []


def test_every_kind_of_subject_has_a_page():
    names = {name for name, _ in routes(get_resolver())}
    assert set(PAGES.values()) - names == set()


def routes(resolver: URLResolver, prefix: str = "") -> list[tuple[str, URLPattern]]:
    """Every (name with namespaces, pattern) below a resolver."""
    found = []
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            found += routes(pattern, inner)
        else:
            found.append((f"{prefix}{pattern.name}", pattern))
    return found
