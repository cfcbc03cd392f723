"""A process of its own that works one job off, so that a test can kill it: python -m … JOB_ID."""

import sys

import django

django.setup()

from inspections.services import merge  # noqa: E402 - models need the setup above

merge.generate(sys.argv[1])
