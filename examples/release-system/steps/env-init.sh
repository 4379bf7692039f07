# Writes what the service is started with.
set -eu
printf 'export PORT=%s VERSION=%s HOST=%s\n' "$(cat port)" "$VERSION" "$HOST" >app.env
echo "the service will listen on port $(cat port)"
