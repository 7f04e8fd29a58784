"""A team's queue: what it has to do, chosen by filters that can be kept, taken one by one or done in bulk."""
