"""What a user sets, checked and passed on; and how stages start, alone or together, and end.

Nothing is made here, and no default lies here, so no result depends on it.
"""
