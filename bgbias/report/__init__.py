"""What people read: tables, figures, sheets of photos, comparisons, the study, an audit's page."""
