# SPDX-License-Identifier: GPL-2.0-only
"""What every part stands on: errors, paths, files, processes, the terminal, git."""
