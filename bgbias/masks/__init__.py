"""Foreground masks: segmented, made for every photo, measured against hand masks."""
