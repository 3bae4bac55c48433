"""Finds what needs a person, and tells it once: when it begins, and when it is over."""
