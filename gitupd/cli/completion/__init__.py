"""What a shell offers while somebody types a command: click asks, and what it is told of values is here.

``kinds`` are the types of arguments and options whose values can be offered, ``values`` are these values, ``outline``
is all of the command line without the commands themselves, ``shells`` how shells are told, ``scripts`` the command.
"""
