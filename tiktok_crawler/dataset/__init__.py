"""The collected data as tables for those who analyse it: what there is, and how it is read.

Exports, data frames and their documents speak of these tables; docs/schema.md has those of the
database, from which they are read.
"""
