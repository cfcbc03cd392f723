from collections.abc import Callable

import pytest

LINES: list[tuple[str, str]] = []


@pytest.fixture
def report() -> Callable[[str, str], None]:
    """`report("合并 / 裸插入", "1.31×")` adds a line to the table printed at the end."""
    return lambda label, value: LINES.append((label, value))


def pytest_terminal_summary(terminalreporter):
    if not LINES:
        return
    terminalreporter.section("性能（同一次运行内的比值）")
    for label, value in LINES:
        terminalreporter.write_line(f"{value:>14}  {label}")
