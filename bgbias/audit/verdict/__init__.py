"""What the figures mean: remarks on the model, sentences, the grade, and what to do."""
