"""Changes of the stored tables, applied in order when a database is opened."""
