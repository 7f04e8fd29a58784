"""Kill -9 of web, worker and database while residents' requests go all the way round; then look whether anything is wrong.

`script/torture` runs it. It ends only processes that it started itself.
"""
