"""What people read: charts, tables and the words for probabilities."""
