"""What docs/highlighting.md says, as the tests use it."""

import json
import re
from pathlib import Path

PAGE = Path(__file__).parents[3].joinpath("docs", "highlighting.md").read_text("utf-8")
CONFIG = json.loads(re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0])
"""The settings for nbconvert, in a file of Jupyter's."""
