"""What the other notebooks study: league, revisions, seasonal adjustment, claims."""
