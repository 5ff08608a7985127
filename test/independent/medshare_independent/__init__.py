"""An independent reading of the MeDShare protocol, version 1: written from its specification alone."""
