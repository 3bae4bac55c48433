"""What commands do whose work is slow to load: one that is run loads its own.

Scrapy loads all of `commands` to find one.
"""
