"""What may keep a user from logging in: for each cause, what the evidence says of it."""
