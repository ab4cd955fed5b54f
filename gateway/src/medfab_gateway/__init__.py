"""medfab_gateway."""
