"""The text of a formula: parse it, print it, simplify it, compile it. Imports nothing of chalkgrad."""
