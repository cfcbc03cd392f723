#!/usr/bin/env python
"""Django's command line, with the portal's settings."""

import os
import sys

from django.core.management import execute_from_command_line

from portal.embedded import EmbeddedError
from portal.engines import needed_by

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    try:
        with needed_by(sys.argv):
            execute_from_command_line(sys.argv)
    except EmbeddedError as error:
        sys.exit(str(error))
