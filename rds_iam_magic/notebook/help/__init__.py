"""What the magics' help shows beside their options."""
