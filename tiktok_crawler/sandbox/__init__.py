"""An imitation of the TikTok Research API that runs on this machine, with invented data.

Everything but `server` works without a network; `server` puts a `Sandbox` on a loopback socket.
"""

from __future__ import annotations

from tiktok_crawler.sandbox.access.tokens import CLIENT_KEY, CLIENT_SECRET
from tiktok_crawler.sandbox.faults.profile import Profile
from tiktok_crawler.sandbox.faults.profile_file import load_profile, shipped_profiles
from tiktok_crawler.sandbox.sandbox import Sandbox

__all__ = [
    "CLIENT_KEY",
    "CLIENT_SECRET",
    "Profile",
    "Sandbox",
    "load_profile",
    "shipped_profiles",
]
