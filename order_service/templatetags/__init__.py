"""Django looks for the template tags of an app here."""
