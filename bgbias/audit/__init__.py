"""The audit: what the background does to the retrieval of any embedder, on anyone's photos.

photos (read, refuse) -> pictures (photos, masks and backgrounds at the embedder's size) -> views -> embeddings ->
measures, attention -> verdict, examples. Everything that takes long is kept in a cache.
"""
