# SPDX-License-Identifier: GPL-2.0-only
"""The modules behind scripts/gup, in rooms; each room says what it is for."""

# A room uses only those ahead of it. scripts/tests/test_rooms.py holds it to that.
ROOMS = ("system", "config", "setup", "queue", "kernel", "run", "evidence", "lint",
         "upkeep", "delivery", "check", "cli")
