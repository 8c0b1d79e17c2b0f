"""Where an embedder looks: saliency, attention maps and scores, and how well they find the object."""
