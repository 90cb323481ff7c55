# SPDX-License-Identifier: GPL-2.0-only
"""How patches leave the queue, and what comes back: exports, mails, trailers."""
