"""Writes the benign suite: text as people and programs write it every day, without any secret.

    python3 tests/benign/make tests/benign

The blocks of code beside this file are joined to files of ten languages with names filled in; everything
else is drawn here. One seed, one result.
"""

import sys
from pathlib import Path

from data import write_data
from draw import Draw
from languages import write_code
from prose import write_prose

folder = Path(sys.argv[1])
for part, write in (("code", write_code), ("data", write_data), ("prose", write_prose)):
    target = folder / part
    target.mkdir(parents=True, exist_ok=True)
    for old in target.iterdir():
        old.unlink()
    for name, text in write(Draw(part)):
        (target / name).write_text(text, encoding="utf-8", newline="\n")
