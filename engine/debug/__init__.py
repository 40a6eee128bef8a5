"""Find errors: check gradients against finite differences, name the first number that is not finite."""
