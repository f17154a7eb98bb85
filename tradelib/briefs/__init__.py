"""What was out with a release, and every number of a partner as a fact."""
