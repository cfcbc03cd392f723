"""A process of its own, measured as a whole: python -m … read|write JOB_ID, python -m … openpyxl FILE.

Prints the seconds of the work and the most memory the process ever had, in MB.
"""

import resource
import sys
import time
from pathlib import Path


def openpyxl(path: str) -> float:
    """Merely reading the file: every value of every row."""
    from openpyxl import load_workbook  # noqa: PLC0415 - a process that measures openpyxl loads nothing else

    started = time.perf_counter()
    for row in load_workbook(Path(path), read_only=True, data_only=True).active.iter_rows(values_only=True):
        for _ in row:
            pass
    return time.perf_counter() - started


def work(step: str, job_id: str) -> float:
    """One of the two jobs of an import, as a Celery worker does it."""
    import django  # noqa: PLC0415 - likewise

    django.setup()
    from institutions import tasks  # noqa: PLC0415 - models need the setup above
    from portal import celery  # noqa: F401, PLC0415 - a worker has every app's tasks loaded

    started = time.perf_counter()
    {"read": tasks.read_import, "write": tasks.write_import}[step](job_id)
    return time.perf_counter() - started


if __name__ == "__main__":
    step, argument = sys.argv[1:]
    seconds = openpyxl(argument) if step == "openpyxl" else work(step, argument)
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
