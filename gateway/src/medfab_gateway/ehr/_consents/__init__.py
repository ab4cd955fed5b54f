"""A patient's consent: one canonical model, and FHIR Consent R4 and R5 in and out of it."""
