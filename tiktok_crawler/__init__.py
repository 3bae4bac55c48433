"""Collects data from the TikTok Research API into a SQL database."""
