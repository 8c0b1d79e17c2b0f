"""Training an embedder: batches of crops and composites, losses, the loop, the selection of the epoch."""
