"""python -m loop311.site: the same as the command loop311."""

from loop311.kit.processes import die_with_parent
from loop311.site.cli import main

die_with_parent()
main()
