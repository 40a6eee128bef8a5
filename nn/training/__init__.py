"""Training: losses, optimisers, and the loop that uses them."""
