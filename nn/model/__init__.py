"""Models: neurons, layers and MLPs, how their weights begin, and how they are saved."""
