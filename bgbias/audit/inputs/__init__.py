"""What is audited: photos, masks and backgrounds, found and checked, packed, and composed to what is embedded."""
