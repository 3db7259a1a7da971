"""Everything that makes weights and measures them. Knows `engine`, not `app`."""
