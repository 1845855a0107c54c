"""A file of own questions of every kind."""

from pathlib import Path

from ablate.turing.export.own_columns import TAKEN
from ablate.turing.questions import Questions, load_questions

OWN = """\
before:
  - name: age
    kind: number
    question: How old are you?
    minimum: 18
    maximum: 120
  - name: screen
    kind: choice
    question: {en: "What do you sit at?", de: "Woran sitzen Sie?", ar: "أمام ماذا تجلس؟"}
    help: {en: The one that you read this on., de: Das Gerät vor Ihnen., ar: الجهاز الذي أمامك.}
    choices:
      laptop: {en: A laptop, de: Ein Laptop, ar: حاسوب محمول}
      monitor: {en: "A monitor | desk", de: Ein Monitor, ar: شاشة}
      "NA": {en: Something else, de: Etwas anderes, ar: شيء آخر}
    required: false
  - name: cameras
    kind: several
    question: Which cameras do you use?
    choices: {phone: A telephone, reflex: A reflex camera, none: None}
after:
  - name: sure
    kind: scale
    question: How sure were you?
    points: 7
    low: not at all
    high: very
  - name: distance
    kind: number
    question: How far away was the screen, in metres?
    minimum: 0.2
    maximum: 3
    whole: false
    required: false
  - name: strategy
    kind: text
    question: What did you look at?
    longest: 50
"""
BEFORE = {"q-age": "31", "q-screen": "NA", "q-cameras": "phone"}
AFTER = {"q-sure": "5", "q-distance": "0,7", "q-strategy": "The sky"}
"""Replies that are possible."""


def own_questions(folder: Path, text: str = OWN) -> Questions:
    """Return the questions of a file with such a content."""
    file = folder / "questions.yaml"
    file.write_text(text, encoding="utf-8")
    return load_questions(file, TAKEN)
