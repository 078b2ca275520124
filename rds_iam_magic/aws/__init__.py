"""AWS: endpoints, credentials, tokens, certificates, secrets, policies."""
