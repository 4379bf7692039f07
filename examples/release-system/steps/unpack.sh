# Verifies and unpacks.
set -eu
wanted=$(cat shop.tar.gz.sha256)
got=$(sha256sum <shop.tar.gz | cut -d ' ' -f 1)
if [ "$got" != "$wanted" ]; then
  echo "wanted $wanted" >&2
  echo "got    $got" >&2
  echo "checksum mismatch: the artefact of $VERSION from $(cat mirror) is damaged" >&2
  exit 1
fi
rm -rf app.new
mkdir app.new
tar -xzvf shop.tar.gz -C app.new
