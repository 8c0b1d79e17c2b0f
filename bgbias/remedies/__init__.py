"""What helps an embedder against background bias without training it again."""
