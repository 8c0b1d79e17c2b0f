"""Measuring, explaining and curing background bias in image retrieval.

The terms:

    query, reference  What is searched with, and what is searched (the gallery): no photo finds itself.
    lone query        The only photo of its class: it has nothing to find, so it counts as a reference only.
    clean, swapped    A photo as it is; its object, cut out by its mask, on a random part of a random background.
    regime            What training does with backgrounds. base: nothing. bgaugment: it replaces every photo's.
                      bgconsistency: it shows each photo twice, with its own background at most once, and pulls the two
                      embeddings together. early_masking: it does so with what a finder shows.
    finder            A small network that finds the object in a picture, and hides the rest before it is embedded.
    background pool   Pictures to swap in: `val` for training and selection, `test` for evaluation, none in both.
    foreground mask   How much of each pixel the object covers, 0..255; whole pixels are the object's from 128 on.
    view              Photos composed in one way: clean, one draw of swapped, the objects alone, backgrounds alone...
    manifest          Which part of which background each photo of a swapped view got: remakes the view to the byte.
    drop              The score on clean less that on swapped photos; queries and gallery are both clean, or swapped.
    background gap    The score on backgrounds of the photos' own classes less that on random ones, pasted alike.
    attention score   (a - p) / (1 - p), with a the object's share of the attention and p its share of the area.

A photo is a file of the user, and the row that stands for it (its number is called image_id). A picture is uint8
pixels, (B, 3, H, W) in a batch. An image is what a network gets: normalised floats of the same shape.
"""
