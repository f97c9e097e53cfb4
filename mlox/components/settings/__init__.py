"""Settings of components in files of the user's: put in where they are missing, taken out where nobody changed them."""

from mlox.components.settings.admitting import check_piece
from mlox.components.settings.bringing import Pieces, settings_of
from mlox.components.settings.entries import Setting
from mlox.components.settings.following import settings_updated
from mlox.components.settings.forms import FormName
from mlox.components.settings.owning import users_own
from mlox.components.settings.planning import Names, SettingsTaken, settings_added, settings_removed
from mlox.components.settings.putting import Put, put_settings
from mlox.components.settings.standing import edited_settings
from mlox.components.settings.taking import take_settings

__all__ = [
    "FormName",
    "Names",
    "Pieces",
    "Put",
    "Setting",
    "SettingsTaken",
    "check_piece",
    "edited_settings",
    "put_settings",
    "settings_added",
    "settings_of",
    "settings_removed",
    "settings_updated",
    "take_settings",
    "users_own",
]
