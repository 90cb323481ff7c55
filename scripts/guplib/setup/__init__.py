# SPDX-License-Identifier: GPL-2.0-only
"""What the machine has to have: Debian packages."""
