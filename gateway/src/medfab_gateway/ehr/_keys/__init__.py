"""Keys: of a patient's data at a holder, of single records, to recipients, and in shares."""
