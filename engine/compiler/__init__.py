"""Compile a graph: trace it to a flat list of instructions, print them, and run them on many samples."""
