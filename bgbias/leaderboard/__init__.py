"""The leaderboard: how much each embedder loses when the background changes, all on the same photos and swaps."""
