"""Training: losses, optimizers, and the loop that uses them."""
