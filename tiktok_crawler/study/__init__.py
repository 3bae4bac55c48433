"""Makes the folder of a study, from the package alone, and rehearses its first crawl."""
