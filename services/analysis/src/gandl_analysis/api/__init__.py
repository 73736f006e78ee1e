"""The routes: they read a request, ask, and put the answer into the form that was wanted. Nothing is decided here."""
