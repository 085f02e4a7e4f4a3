"""verifiable_ml."""
