"""How hypothesis searches: the same examples in every run, and no deadline, since machines differ.

`pytest tests/property --hypothesis-profile=search` looks for new examples instead, ten times as many where a test does
not say.
"""

from hypothesis import settings

settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, max_examples=1000)
settings.load_profile("repeatable")
