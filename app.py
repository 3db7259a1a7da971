"""What `python app.py` and a Hugging Face Space start: the page."""

import sys

from app import defects
from app.page import command

if __name__ == "__main__":
    defects.install()
    sys.exit(command.main())
