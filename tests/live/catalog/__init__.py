"""What proves a service of the catalog: real programs and images of it, and what its real client writes and reads."""
