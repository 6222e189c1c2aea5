"""Answers that a language model writes from passages of the user's documents: `service` is the way in.

`endpoint` speaks with the model, `prompt` says what it is told, `sentences` takes its text apart. Off by default.
"""

from semantik.services.answers.events import AnswerEvent as AnswerEvent
from semantik.services.answers.events import End as End
from semantik.services.answers.events import Passages as Passages
from semantik.services.answers.events import Sentence as Sentence
from semantik.services.answers.service import AnswerService as AnswerService
from semantik.services.answers.service import Question as Question
