# Gets the artefact from this host's mirror.
set -eu
from=$ARTEFACTS/$(cat mirror)/shop-$VERSION.tar.gz
echo "getting $from"
curl -fsS -o shop.tar.gz "$from"
curl -fsS -o shop.tar.gz.sha256 "$from.sha256"
echo "got $(wc -c <shop.tar.gz) bytes"
