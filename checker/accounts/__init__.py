"""Who calls: accounts, their keys and what each key may do."""
