"""How a stage runs: its command line, the processes that share it, and how it ends. No result depends on it."""
