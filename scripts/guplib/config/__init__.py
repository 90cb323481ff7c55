# SPDX-License-Identifier: GPL-2.0-only
"""The files below config/: what they say, and what it has to look like."""

from .expected import Cells, Kernel, Requirement, cells, suite_option
from .forms import Form, export_form, export_forms, export_texts, kunit_lines
from .instruments import PLAIN, Instrument, instrument, instruments
from .kernel_reports import reports
from .kernels import (Arch, Base, arch, arches, base, bases, cell_arch, default_base,
                      fragments, is_among, rerun_fragments, selftest_fragments, suites,
                      version_key, with_blobs, with_facts, with_new_base)
from .lint_exceptions import exemptions
from .machines import Rerun, Selftest, rerun, selftest
from .packages_file import Need, needed, needs
from .promises_files import Guard, Promise, Promises, Says, promises
from .toml_file import load

__all__ = ["PLAIN", "Arch", "Base", "Cells", "Form", "Guard", "Instrument", "Kernel", "Need",
           "Promise", "Promises", "Requirement", "Rerun", "Says", "Selftest", "arch",
           "arches", "base", "bases", "cell_arch", "cells", "default_base", "exemptions",
           "export_form", "export_forms", "export_texts", "fragments",
           "instrument", "instruments", "is_among", "kunit_lines", "load", "needed", "needs",
           "promises", "reports", "rerun", "rerun_fragments", "selftest",
           "selftest_fragments", "suite_option", "suites", "version_key", "with_blobs",
           "with_facts", "with_new_base"]
