#!/bin/sh
# Installs vidreid from the folder that this file lies in, without a network: sh install.sh [FOLDER]
set -eu

bundle=$(cd "$(dirname "$0")" && pwd)
folder=${1:-vidreid-venv}
python=${PYTHON:-python3}

fail() {
  printf 'error: %s\nhint: %s\n' "$1" "$2" >&2
  exit 1
}

sha256=$(command -v sha256sum || echo "shasum -a 256") # macOS
sums=$(cd "$bundle" && LC_ALL=C $sha256 -c SHA256SUMS 2>&1) ||
  fail "$(printf '%s\n' "$sums" | grep -v ': OK$' | head -n 1)" "copy the bundle again"

needed=$(cat "$bundle/made-for")
found=$("$python" -c 'import platform, sys
print("Python {}.{}, {} {}".format(*sys.version_info[:2], platform.system(), platform.machine()))' || true)
[ "$found" = "$needed" ] ||
  fail "this bundle is for $needed; $python is ${found:-missing}" "PYTHON=/path/of/that/python sh $0"

[ ! -e "$folder" ] || fail "$folder: is there already" "remove it, or name another folder: sh $0 FOLDER"
echo "installing into $folder, which takes minutes"
"$python" -m venv "$folder"
folder=$(cd "$folder" && pwd)
# Not even settings of pip may point to another source.
PIP_CONFIG_FILE=/dev/null "$folder/bin/python" -m pip --isolated install --quiet --no-index \
  --find-links "$bundle/wheels" vidreid
"$folder/bin/python" -c "import cv2" ||
  fail "OpenCV lacks system libraries" "apt-get install libgl1 libglib2.0-0, or their packages from a disk"

home=$("$folder/bin/python" -c "from vidreid.resources import home; print(home())")
if [ -d "$bundle/weights" ]; then
  mkdir -p "$home/models"
  cp -R "$bundle/weights/." "$home/models"
  echo "networks: $home/models"
fi
if [ -e "$bundle/models.yaml" ] && [ -e "$home/models.yaml" ]; then
  echo "kept: $home/models.yaml; add to it what you need of $bundle/models.yaml"
elif [ -e "$bundle/models.yaml" ]; then
  mkdir -p "$home"
  cp "$bundle/models.yaml" "$home"
fi
echo "next: \"$folder/bin/vidreid\" demo --output demo"
echo "      \"$folder/bin/vidreid\" run gate=gate.mp4 yard=yard.mp4 --output runs/site"
