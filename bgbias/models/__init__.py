"""Networks by name, and the embedder that any network becomes: bytes in, embeddings out."""
