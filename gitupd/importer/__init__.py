"""From an installation of the PHP based Update Server V2 to a configuration repository."""

from gitupd.importer.installation import Imported, import_installation

__all__ = ["Imported", "import_installation"]
