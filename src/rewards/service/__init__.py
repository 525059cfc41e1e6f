"""One function per use case: what the API, the command line and scenarios call.

Time comes in as an argument; nothing here knows HTTP.
"""
