"""The demonstration that the command line runs."""
