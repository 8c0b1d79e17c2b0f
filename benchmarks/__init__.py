"""Speed: the pipeline's hot paths beside what a user would use instead, and beside the physical bound."""
