"""Exports: a folder of files with what a database holds at one moment, and what tells of them."""
