# SPDX-License-Identifier: GPL-2.0-only
"""A made-up queue on a made-up kernel, small enough to try everything on."""
