"""Code that the services share: seven packages, each with one subject. The modules are in the packages."""
