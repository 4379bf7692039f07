# Stops the old version, starts the new one, and waits until it answers.
set -eu
if [ -e service.pid ]; then
  old=$(cat service.pid)
  kill "$old"
  while kill -0 "$old" 2>/dev/null; do sleep 0.05; done
  rm service.pid
fi
if [ -d app.new ]; then
  rm -rf app
  mv app.new app
fi
. ./app.env
./app/shop </dev/null >>service.log 2>&1 &
echo $! >service.pid
tries=0
until [ "$(curl -s --max-time 1 "http://127.0.0.1:$PORT/health")" = "$VERSION" ]; do
  tries=$((tries + 1))
  if [ "$tries" -gt 100 ]; then
    echo "the service does not answer with $VERSION: $(tail -n 1 service.log)" >&2
    exit 1
  fi
  sleep 0.1
done
echo "process $(cat service.pid) answers with $VERSION"
