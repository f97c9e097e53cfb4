"""Settings of components in files of the user's: put in where they are missing, taken out where nobody changed them."""

from mlox.components.settings.forms import FormName
from mlox.components.settings.putting import Put, Setting, put_settings, take_settings

__all__ = ["FormName", "Put", "Setting", "put_settings", "take_settings"]
