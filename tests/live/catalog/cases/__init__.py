"""One file a service: ``CASE`` says what its client does, and where the service comes from on a test machine."""
