"""What a user sets, checked and passed on.

Nothing is made here, and no default lies here, so no result depends on it.
"""
