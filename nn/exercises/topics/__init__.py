"""The exercises that can be checked."""
