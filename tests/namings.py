"""Other names for persons, by which tests see where they are put."""

from __future__ import annotations

import json

from tiktok_crawler.reports.naming import Naming


def naming(name):
    """Usernames pass through a function, and other texts become capitals."""

    def query_text(text):
        query = json.loads(text)
        for condition in (each for group in query.values() for each in group):
            change = name if condition["field_name"] == "username" else str.upper
            condition["field_values"] = list(map(change, condition["field_values"]))
        return json.dumps(query)

    return Naming(name, query_text, str.upper, str.upper)
