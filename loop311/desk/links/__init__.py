"""Links to the departments' systems at the desk: how each stands, and the pairs that are stuck or contradict each other."""
