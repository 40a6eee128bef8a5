"""Show a graph: as a picture, as an explanation in words, as a page to step through."""
