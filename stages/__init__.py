"""The stages of the pipeline, a plain script each: read settings, open, call, write, print.

What a stage needs of the library and of large packages it imports in main(), so that --help answers at once.
"""
