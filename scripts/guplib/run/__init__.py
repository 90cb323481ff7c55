# SPDX-License-Identifier: GPL-2.0-only
"""One run: a cell is built, booted, and judged by its logs."""
