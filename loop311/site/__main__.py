"""python -m loop311.site: the same as the command loop311."""

from loop311.site.cli import main

main()
