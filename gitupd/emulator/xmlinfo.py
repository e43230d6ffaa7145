"""What a device prints when a script asks it something."""

from collections.abc import Mapping
from xml.sax.saxutils import quoteattr

from gitupd.emulator.certificates import REQUEST, REQUEST_ERROR
from gitupd.emulator.configuration import config_line
from gitupd.emulator.signing import Certificate
from gitupd.emulator.state import Device


def answer(device: Device, command: str) -> str:
    """Give the output of a command; "" for one of which the emulator knows nothing."""
    match command.split():
        case ["mod", "cmd", "X509", "xml-info"]:
            return _certificates(device)
        case ["mod", "cmd", "CMD0", "xml-info"]:
            return _identity(device)
        case ["mod", "cmd", "MEDIA", "xml-info"]:
            return '<info stun="" turn="" turn-user=""><nat result="" public-addr=""/></info>'
        case ["mod", "cmd", *module, "xml-info"]:
            return f"<info{_attributes({'module': ' '.join(module)})}/>"
        case ["vars", "read", path]:
            variable = device.variables.get(path)
            return f"{path} {variable.flags} {variable.value}\r\n" if variable else ""
        case ["config", "show", *module]:
            name = " ".join(module)
            options = device.configuration.active.get(name)
            return f"{config_line(name, options)}\r\n" if options is not None else ""
        case _:
            return ""


def _identity(device: Device) -> str:
    facts = {
        "name": device.configuration.value("CMD0", "name"),
        "product": device.identity.type,
        "serial": device.identity.serial,
    }
    return f"<info{_attributes(facts)}/>"


def _attributes(values: Mapping[str, str]) -> str:
    return "".join(f" {name}={quoteattr(_printable(text))}" for name, text in values.items())


def _printable(text: str) -> str:
    """Drop what no XML may hold."""
    return "".join(letter for letter in text if letter.isprintable() or letter in "\t\r\n")


def _certificates(device: Device) -> str:
    chain = "".join(f"<certificate{_facts(certificate)}/>" for certificate in device.chain)
    busy = "<busy/>" if device.pending_request else ""
    request = '<requests><request type="device"/></requests>' if REQUEST in device.variables else ""
    error = _error(device)
    return f"<info><servercert>{chain}</servercert>{request}{busy}{error}</info>"


def _facts(certificate: Certificate) -> str:
    facts = {
        "subject_cn": certificate.subject,
        "issuer_cn": certificate.issuer,
        "not_before": certificate.not_before,
        "not_after": certificate.not_after,
    }
    return _attributes(facts)


def _error(device: Device) -> str:
    variable = device.variables.get(REQUEST_ERROR)
    return f"<request-error{_attributes({'text': variable.value})}/>" if variable else ""
