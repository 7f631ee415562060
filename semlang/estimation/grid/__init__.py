"""Integration over nodes that all units share, for many discrete responses: row types, patterns, tables."""
