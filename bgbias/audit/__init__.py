"""The audit: what the background does to the retrieval of any embedder, on anyone's photos.

    inputs/    photos (read, refuse), masks and backgrounds -> pictures at the embedder's size -> views
    measures/  views -> embeddings -> figures with their intervals, attention, photos to look at
    verdict/   figures -> sentences, the grade, what to do
    page/      all of it -> one HTML page

Everything that takes long is kept in a cache.
"""
