# SPDX-License-Identifier: GPL-2.0-only
"""What the person has set for the whole of one call of gup, whichever command it is."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """How loud gup is, what it may do to the machine, and how much of it it takes.

    data: what goes to stdout is JSON, and all else to stderr. jobs: how many programs a
    build runs at a time; timeout: seconds that a kernel may run. 0 is what is usual.
    """

    verbose: bool = False
    quiet: bool = False
    data: bool = False
    install: bool = True
    jobs: int = 0
    timeout: int = 0

    @property
    def parallel(self) -> int:
        """How many programs a build runs at a time: one more than there are processors."""
        return self.jobs or len(os.sched_getaffinity(0)) + 1


of_call = Settings()
