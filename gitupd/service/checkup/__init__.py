"""A site looked at for what is to be mended, without any change to it."""
