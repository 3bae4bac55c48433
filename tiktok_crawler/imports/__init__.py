"""Brings in what others have collected: databases and files of other clients, and our own files."""
