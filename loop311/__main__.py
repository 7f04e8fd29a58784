"""python -m loop311: the same as the command loop311."""

from loop311.site.cli import main

main()
