"""All that knows MySQL's protocol, its errors or PyMySQL."""
