"""Show a graph: as a picture, as an explanation in words, and as a page that steps through it."""
