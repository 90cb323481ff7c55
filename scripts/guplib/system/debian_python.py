# SPDX-License-Identifier: GPL-2.0-only
"""Modules of Debian's packages, for whichever Python runs gup.

They are there once packages are installed, and not before. A Python that is not
Debian's own finds those that are plain Python behind all that it has itself.
"""

import importlib
import sys
from types import ModuleType

from .errors import EnvironmentFault

FOLDER = "/usr/lib/python3/dist-packages"


def load(name: str) -> ModuleType:
    """Import a module of the package python3-NAME; raises EnvironmentFault without it."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        sys.path.append(FOLDER)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise EnvironmentFault(f"the Python module {name} is missing; run: sudo apt-get "
                               f"install python3-{name}") from error
    finally:
        sys.path.remove(FOLDER)
