# SPDX-License-Identifier: GPL-2.0-only
"""Many runs, and what they prove: the matrix, its record, every prefix."""
