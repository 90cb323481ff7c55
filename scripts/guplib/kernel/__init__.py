# SPDX-License-Identifier: GPL-2.0-only
"""Where a kernel tree comes from, and what is in it."""
