"""The report of a database as one HTML file, which needs nothing else and runs no script.

It takes the extra `report`; whoever imports it has to expect an ImportError.
"""
