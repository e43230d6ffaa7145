"""RSA keys and signing requests (PKCS#10), in plain Python.

The keys are made from the fleet's random numbers and shared by all its devices: good enough to try out how
certificates are requested, signed and delivered, and no secret whatsoever.
"""

import hashlib
import ipaddress
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from gitupd.emulator import der
from gitupd.emulator.script import Option

EXPONENT = 65537
ROUNDS = 12
LARGEST_KEY = 2048  # larger ones take plain Python many seconds
SMALLEST_KEY = 1024
SMALL_PRIMES = [p for p in range(3, 2000, 2) if all(p % q for q in range(3, math.isqrt(p) + 1, 2))]

RSA_KEY, RSA_SHA256, SHA256 = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.11", "2.16.840.1.101.3.4.2.1"
EXTENSION_REQUEST = "1.2.840.113549.1.9.14"
ALTERNATIVE_NAMES, KEY_USAGE, EXTENDED_USAGE = "2.5.29.17", "2.5.29.15", "2.5.29.37"
SERVER_AND_CLIENT = ("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2")
DISTINGUISHED = {
    "dn-cn": der.COMMON_NAME,
    "dn-ou": "2.5.4.11",
    "dn-o": "2.5.4.10",
    "dn-l": "2.5.4.7",
    "dn-st": "2.5.4.8",
    "dn-c": "2.5.4.6",
}


@dataclass(frozen=True)
class Key:
    """An RSA key by its two primes."""

    p: int
    q: int

    @cached_property
    def modulus(self) -> int:
        """The public number."""
        return self.p * self.q

    @cached_property
    def secret(self) -> int:
        """The private exponent."""
        return pow(EXPONENT, -1, math.lcm(self.p - 1, self.q - 1))

    @cached_property
    def public_key(self) -> bytes:
        """SubjectPublicKeyInfo, as it stands in requests and certificates."""
        algorithm = der.sequence(der.object_id(RSA_KEY), der.element(der.NULL))
        return der.sequence(algorithm, der.bits(der.sequence(der.integer(self.modulus), der.integer(EXPONENT))))

    @cached_property
    def private_key(self) -> bytes:
        """RSAPrivateKey, as it stands in the variable of a device."""
        p, q, d = self.p, self.q, self.secret
        numbers = (0, self.modulus, EXPONENT, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))
        return der.sequence(*(der.integer(n) for n in numbers))

    def sign(self, content: bytes) -> bytes:
        """Sign with SHA-256, padded as PKCS#1 version 1.5 asks for."""
        algorithm = der.sequence(der.object_id(SHA256), der.element(der.NULL))
        digest = der.sequence(algorithm, der.element(der.OCTET_STRING, hashlib.sha256(content).digest()))
        size = (self.modulus.bit_length() + 7) // 8
        padded = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
        return pow(int.from_bytes(padded, "big"), self.secret, self.modulus).to_bytes(size, "big")


@dataclass(slots=True)
class KeyRing:
    """Makes a key of each size once; a 2048 bit key takes about a second."""

    rng: random.Random
    keys: dict[int, Key] = field(default_factory=dict)

    def key(self, size: int) -> Key:
        """Give the key of a size, which is cut to what plain Python can bear."""
        size = min(max(size, SMALLEST_KEY), LARGEST_KEY) // 2 * 2
        if size not in self.keys:
            self.keys[size] = Key(self._prime(size // 2), self._prime(size // 2))
        return self.keys[size]

    def _prime(self, size: int) -> int:
        top_bits = 0b11 << size - 2  # so that the product of two has all its bits
        while True:
            candidate = self.rng.getrandbits(size) | top_bits | 1
            if (candidate - 1) % EXPONENT and _is_prime(candidate, self.rng):
                return candidate


def _is_prime(n: int, rng: random.Random) -> bool:
    if any(n % p == 0 for p in SMALL_PRIMES):
        return False
    twos = ((n - 1) & -(n - 1)).bit_length() - 1
    return all(_passes(n, rng.randrange(2, n - 1), twos) for _ in range(ROUNDS))


def _passes(n: int, base: int, twos: int) -> bool:
    """Do one round of the test of Miller and Rabin."""
    x = pow(base, (n - 1) >> twos, n)
    if x in (1, n - 1):
        return True
    for _ in range(twos - 1):
        x = x * x % n
        if x == n - 1:
            return True
    return False


def signing_request(key: Key, options: Sequence[Option]) -> bytes:
    """Write the request that the options of a `servercert-create` ask for."""
    names = [_name_part(kind, value) for name, value in options if value and (kind := DISTINGUISHED.get(name))]
    content = der.sequence(
        der.integer(0),
        der.sequence(*names),
        key.public_key,
        der.element(der.EXPLICIT_0, _extension_request(options)),
    )
    algorithm = der.sequence(der.object_id(RSA_SHA256), der.element(der.NULL))
    return der.sequence(content, algorithm, der.bits(key.sign(content)))


def _name_part(kind: str, value: str) -> bytes:
    return der.element(der.SET, der.sequence(der.object_id(kind), der.element(der.UTF8_STRING, value.encode())))


def _extension_request(options: Sequence[Option]) -> bytes:
    usage = der.bits(bytes([0b1010_0000]), unused=5)  # digitalSignature and keyEncipherment
    extended = der.sequence(*(der.object_id(purpose) for purpose in SERVER_AND_CLIENT))
    extensions = [_extension(KEY_USAGE, usage), _extension(EXTENDED_USAGE, extended)]
    if names := _alternative_names(options):
        extensions.append(_extension(ALTERNATIVE_NAMES, der.sequence(*names)))
    values = der.element(der.SET, der.sequence(*extensions))
    return der.sequence(der.object_id(EXTENSION_REQUEST), values)


def _extension(kind: str, value: bytes) -> bytes:
    return der.sequence(der.object_id(kind), der.element(der.OCTET_STRING, value))


def _alternative_names(options: Sequence[Option]) -> list[bytes]:
    names = [der.element(0x82, value.encode()) for name, value in options if name == "san-dns" and value]
    for name, value in options:
        if name == "san-ip" and value and (packed := _packed(value)):
            names.append(der.element(0x87, packed))
    return names


def _packed(address: str) -> bytes | None:
    try:
        return ipaddress.ip_address(address).packed
    except ValueError:
        return None
