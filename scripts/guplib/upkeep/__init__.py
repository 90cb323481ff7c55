# SPDX-License-Identifier: GPL-2.0-only
"""How the stored queue changes: refresh, bump, a new base; its status."""
