"""A local web page: a planner moves a lever and sees the probabilities move."""
