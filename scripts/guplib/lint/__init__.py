# SPDX-License-Identifier: GPL-2.0-only
"""What can be said of patches, suites and scripts without running a kernel."""
