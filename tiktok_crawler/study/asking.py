"""Asks for the credentials, without showing what is typed."""

from __future__ import annotations

from getpass import getpass

from tiktok_crawler.config.credentials import PORTAL, Credentials, usable
from tiktok_crawler.exceptions import CredentialsError
from tiktok_crawler.output import tell
from tiktok_crawler.spelling import number_of


def ask_credentials() -> Credentials | None:
    """Ask until they can be used; nothing typed means later."""
    tell(
        f'The credentials of your project: https://{PORTAL}, "Manage apps". They are not shown as '
        "you paste them; Enter alone leaves them for later"
    )
    while True:
        try:
            if not (key := _typed("Client key")):
                return None
            secret = _typed("Client secret")
        except CredentialsError as exc:
            tell(str(exc))
            continue
        except EOFError:
            tell("")
            return None
        if secret:
            lengths = [number_of(len(value), "characters") for value in (key, secret)]
            tell(f"The key has {lengths[0]}, the secret {lengths[1]}")
            return Credentials(key, secret)
        tell("Without its secret a key is of no use: paste both, or Enter for neither")


def _typed(what: str) -> str:
    return usable(getpass(f"{what}: "), f"the {what.lower()}")
