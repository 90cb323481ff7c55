# SPDX-License-Identifier: GPL-2.0-only
"""The stored queue: series, topics, and the rules between them."""

from .rules import problems
from .series_file import defects, require_sound, series, touched
from .topic_file import SEVERITIES, SEVERITY, Mainline, Standing, Topic, topic, topics

__all__ = ["SEVERITIES", "SEVERITY", "Mainline", "Standing", "Topic", "defects", "problems",
           "require_sound", "series", "topic", "topics", "touched"]
