"""Figures that documents quote: kept from runs, and written into tables."""
