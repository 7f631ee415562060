"""Sums over partitions of the data: what the fit knows of them, the members of each, the member that adds them."""
