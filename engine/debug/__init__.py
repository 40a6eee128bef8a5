"""Check gradients against finite differences, and find the first number that is not finite."""
