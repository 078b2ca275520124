"""What moto lacks of AWS, service by service, and what tests may order: all of it within the child process."""
