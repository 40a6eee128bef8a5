"""Models: neurons, layers and MLPs, their initial weights, and their files."""
