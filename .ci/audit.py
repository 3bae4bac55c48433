"""Checks what is installed here against published advisories: PyPI's, as pip-audit reads them.

Ends with 1 where a package has a known vulnerability. Where the advisories cannot be read, one line
says so, and nothing fails. Further arguments are pip-audit's, such as `--ignore-vuln ID`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from typing import Any

import pip_audit  # noqa: F401 - where it is not installed, that is no matter of the network

from tiktok_crawler.spelling import number_of, visible

OWN = "tiktok-crawler"
WITHIN_SECONDS = 90.0
ANSWER_SECONDS = 10
WRONG_USAGE = 2
SHOWN = 5

Packages = list[dict[str, Any]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--within", type=float, default=WITHIN_SECONDS, metavar="SECONDS")
    options, further = parser.parse_known_args()
    try:
        packages = audited(further, options.within)
    except (TimeoutError, OSError) as exc:
        print(f"NOT CHECKED against published advisories, which cannot be read: {exc}")
        return 0
    return report([each for each in packages if each["name"] != OWN])


def audited(arguments: list[str], seconds: float) -> Packages:
    """What pip-audit says of each package.

    Raises:
        OSError: it did not get to know anything, for this reason.
    """
    command = [sys.executable, "-m", "pip_audit", "--format=json", "--progress-spinner=off"]
    try:
        run = subprocess.run(  # noqa: S603 - the arguments are those of whoever runs this
            [*command, f"--timeout={ANSWER_SECONDS}", *arguments],
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"it took longer than {seconds:g} seconds") from None
    if run.returncode == WRONG_USAGE:
        sys.exit(run.stderr)
    if not run.stdout.strip():
        raise OSError(visible(run.stderr.strip().rpartition("\n")[2]))
    packages: Packages = json.loads(run.stdout)["dependencies"]
    return packages


def report(packages: Packages) -> int:
    """Print what is wrong; the exit status."""
    vulnerable = [each for each in packages if each.get("vulns")]
    for each in vulnerable:
        for found in each["vulns"]:
            mended = ", ".join(found["fix_versions"]) or "no version"
            names = ", ".join([found["id"], *found["aliases"]])
            told = f"{each['name']} {each['version']} is vulnerable: {names}; mended in {mended}"
            print(visible(told))
    unknown = [each["name"] for each in packages if "skip_reason" in each]
    if unknown:
        rest = f" and {len(unknown) - SHOWN} more" if len(unknown) > SHOWN else ""
        print(
            f"NOT CHECKED against published advisories: {number_of(len(unknown), 'packages')} of "
            f"{len(packages)}, of which none can be read: {', '.join(unknown[:SHOWN])}{rest}"
        )
    checked = len(packages) - len(unknown)
    if checked and not vulnerable:
        print(f"No advisory has been published for {number_of(checked, 'packages')}")
    return 1 if vulnerable else 0


if __name__ == "__main__":
    sys.exit(main())
