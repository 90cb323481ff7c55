# SPDX-License-Identifier: GPL-2.0-only
"""All checks of the project: gup check."""
