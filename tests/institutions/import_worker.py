"""A process of its own that works one job off, so that a test can kill it: python -m … read|write JOB_ID."""

import sys

import django

django.setup()

from institutions import tasks  # noqa: E402 - models need the setup above

{"read": tasks.read_import, "write": tasks.write_import}[sys.argv[1]](sys.argv[2])
