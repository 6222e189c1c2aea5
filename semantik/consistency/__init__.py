"""Whether MongoDB, the index and the streams agree with one another and with themselves, and what is past its age.

Knows how things stand when all is well; what brings them there stands in `pipeline`. Runs on the loop, for scripts.
"""

from semantik.consistency.ages import ages
from semantik.consistency.finding import Finding, Grounds
from semantik.consistency.look import CHECKS, LEFTOVERS, look, mend

__all__ = ["CHECKS", "LEFTOVERS", "Finding", "Grounds", "ages", "look", "mend"]
