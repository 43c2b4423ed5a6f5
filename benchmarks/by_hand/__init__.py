"""The same networks and loops as an expert writes them for one engine."""
