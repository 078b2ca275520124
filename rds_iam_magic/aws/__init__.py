"""What AWS has to say: endpoints, credentials, tokens, certificates, secrets, policies."""
