"""What was published about the district, and how the model compares with it."""
