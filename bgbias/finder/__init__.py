"""Learned early masking: a small network finds the object, and hides what lies around it, before it is embedded."""
