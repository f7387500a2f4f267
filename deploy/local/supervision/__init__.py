"""How a process of the stack is started, watched and restarted, and where its log goes."""
