"""Whether MongoDB, the index and the streams agree with one another and with themselves, and what is past its age.

Knows how things stand when all is well; what brings them there stands in `pipeline`. Runs on the loop, for scripts.
"""

from semantik.integrity.issue import CheckContext, Issue
from semantik.integrity.retention import expired
from semantik.integrity.runner import CHECKS, LEFTOVERS, check, repair

__all__ = ["CHECKS", "LEFTOVERS", "CheckContext", "Issue", "check", "expired", "repair"]
