"""From files, folders, hubs, databases and memory to rows."""
