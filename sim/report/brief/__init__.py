"""A briefing about a finished forecast: what it says, and documents to say it in."""
