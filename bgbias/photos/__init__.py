"""From packed photos to what a network sees: crops, swapped backgrounds, ablations."""
