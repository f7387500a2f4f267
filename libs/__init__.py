"""Code that services share, one package per subject. It knows no service."""
