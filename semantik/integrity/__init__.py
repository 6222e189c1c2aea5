"""Checks that MongoDB, the index and the Redis streams are consistent, and finds what is past its retention time.

Knows the invariants of the data; the code that maintains them is in `pipeline`. Runs on the loop, for the commands.
"""

from semantik.integrity.issue import CheckContext, Issue
from semantik.integrity.retention import retention_checks
from semantik.integrity.runner import CHECKS, ORPHAN_CHECKS, check, repair

__all__ = ["CHECKS", "ORPHAN_CHECKS", "CheckContext", "Issue", "check", "repair", "retention_checks"]
