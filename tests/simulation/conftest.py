"""Let the tests of this folder import its table and its study."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
