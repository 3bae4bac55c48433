"""An imitation of the TikTok Research API that runs on this machine, with invented data.

Everything but `server` works without a network; `server` puts a `Sandbox` on a loopback socket.
"""

from __future__ import annotations

from tiktok_crawler.sandbox.profile import Profile
from tiktok_crawler.sandbox.profile_file import load_profile, shipped_profiles
from tiktok_crawler.sandbox.sandbox import Sandbox
from tiktok_crawler.sandbox.tokens import CLIENT_KEY, CLIENT_SECRET

__all__ = [
    "CLIENT_KEY",
    "CLIENT_SECRET",
    "Profile",
    "Sandbox",
    "load_profile",
    "shipped_profiles",
]
