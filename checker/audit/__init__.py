"""What was answered and why: kept decisions."""
