"""medfab_chaincode."""
