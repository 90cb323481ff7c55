# SPDX-License-Identifier: GPL-2.0-only
"""What the person has set for the whole of one call of gup, whichever command it is."""

import os
from dataclasses import dataclass


@dataclass
class Settings:
    """How loud gup is, what it may do to the machine, and how much of it it takes.

    jobs: how many programs a build runs at a time.
    """

    verbose: bool = False
    quiet: bool = False
    install: bool = True
    jobs: int = 0

    def __post_init__(self) -> None:
        self.jobs = self.jobs or len(os.sched_getaffinity(0)) + 1


of_call = Settings()
