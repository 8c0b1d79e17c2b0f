"""What is measured: embeddings of all views, figures with their intervals, attention, and each photo by itself."""
