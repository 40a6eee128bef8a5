"""Neural networks of Values: nets, losses, optimisers, and the textbook's own backpropagation beside them."""
