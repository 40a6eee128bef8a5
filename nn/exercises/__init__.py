"""Check a student's own code: the smallest case that fails, its first wrong step, and the likely cause."""

from nn.exercises.catalog import check, topics
from nn.exercises.course import Course, Exercise, exercise, exercises, hint
from nn.exercises.process import check_file
from nn.exercises.result import Result

__all__ = [
    "Course", "Exercise", "Result", "check", "check_file", "exercise", "exercises", "hint", "topics",
]  # fmt: skip
