"""What everything stands on: dtypes, trees, variables, scopes, seeds, registry."""
