"""The picture of a live kernel (`make watch`), read from outside."""
