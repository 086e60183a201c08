"""Whole stores: migrate, sync, doctor."""
