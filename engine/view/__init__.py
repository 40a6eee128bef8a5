"""Show a graph as a picture, as an explanation in words, or as a page that steps through it."""
