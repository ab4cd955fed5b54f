"""medfab_network."""
