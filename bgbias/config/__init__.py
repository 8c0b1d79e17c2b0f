"""What a user sets, checked and passed on: nothing is made here, and no default lies here."""
